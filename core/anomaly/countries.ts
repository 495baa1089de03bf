import type { Circle } from './distance.ts';

/**
 * For each country the smallest circle on the globe that holds all its land: latitude and longitude of the middle in
 * degrees, then the radius in kilometres, rounded up. Computed from the borders of Natural Earth (1:10,000,000, public
 * domain), islands that belong to the country included; what has a code of its own counts for itself (French Guiana,
 * Svalbard, Bonaire). Codes are ISO 3166-1 alpha-2, and XK for Kosovo as GeoIP databases have it.
 */
const CIRCLES = `
  AD 42.5 1.6 30, AE 24.7 54 280, AF 33.7 67.6 780, AG 17.4 -61.8 60, AI 18.4 -63.2 50, AL 41.1 19.9 190,
  AM 40 45 200, AO -11.2 17.7 960, AQ -87 -23 2990, AR -38.4 -65.9 1870, AS -12.8 -169.6 270,
  AT 47.7 13.3 300, AU -27.2 134.5 2180, AW 12.5 -70 30, AX 60.2 20.4 60, AZ 40.2 47.7 270, BA 44 17.4 200,
  BB 13.2 -59.6 40, BD 23.7 90.4 400, BE 50.4 4.3 160, BF 11.4 -1.6 460, BG 42.9 25.4 290, BH 26 50.5 40,
  BI -3.4 29.9 150, BJ 9.3 2.2 370, BL 17.9 -62.8 20, BM 32.3 -64.8 30, BN 4.5 114.7 90, BO -16.3 -64.5 830,
  BQ 14.9 -65.8 450, BR -10.3 -50.3 2640, BS 23.9 -76 450, BT 27.1 90.4 180, BV -54.4 3.4 30,
  BW -22.7 23.8 590, BY 53.2 27.7 350, BZ 17.2 -88.8 170, CA 61.6 -88.2 2790, CC -12.1 96.8 50,
  CD -4.4 23.3 1250, CF 5.6 20.9 740, CG -0.7 15.2 620, CH 46.6 8.2 190, CI 7.4 -5.6 420,
  CK -15.4 -160.5 790, CL -36.2 -84.6 2570, CM 7.1 13.4 690, CN 38.8 104.4 2660, CO 4.6 -75.6 1180,
  CR 8.2 -85.4 370, CU 21.1 -79.5 590, CV 16.2 -24.2 180, CW 12.2 -69 50, CX -10.5 105.7 40, CY 35 33.2 100,
  CZ 50 15.5 260, DE 51.2 10.5 470, DJ 11.8 42.5 140, DK 56 11.8 250, DM 15.4 -61.4 40, DO 18.8 -70.2 210,
  DZ 28.5 2.4 1120, EC 0.3 -83.6 960, EE 58.7 25 210, EG 26.6 30.9 810, EH 24.3 -13 590, ER 14.9 40.1 430,
  ES 35.5 -8.4 1280, ET 8 40.5 840, FI 65 24.6 600, FJ -17.4 177.3 570, FK -51.6 -59.5 140,
  FM 7.6 150.6 1410, FO 61.9 -6.7 70, FR 45.1 2.5 710, GA -0.8 12 380, GB 55.4 -4.1 650, GD 12.3 -61.6 50,
  GE 42.4 43.4 320, GF 4 -53.1 260, GG 49.6 -2.4 40, GH 8.1 -1.5 390, GI 36.1 -5.3 20, GL 71.8 -41.5 1350,
  GM 13.4 -15.3 180, GN 9.6 -11.4 450, GP 16.2 -61.5 70, GQ 0.4 8.4 390, GR 38.3 24.2 440,
  GS -56.7 -32.7 470, GT 15.9 -90.4 270, GU 13.5 144.8 50, GW 12.2 -15.2 180, GY 5 -58.8 440,
  HK 22.3 114.1 50, HM -53.1 73.5 40, HN 15.4 -86.3 360, HR 44.3 16.4 280, HT 18.9 -73 180, HU 47.5 19.4 280,
  ID -1.8 117.9 2690, IE 53.4 -8.6 250, IL 31.4 35.3 240, IM 54.2 -4.6 40, IN 20.8 84.5 1880,
  IO -6.3 72.1 150, IQ 32.9 44.3 540, IR 32.8 53.7 1160, IS 65.4 -19 270, IT 41.3 11.8 660, JE 49.2 -2.1 30,
  JM 18.1 -77.3 130, JO 31.4 36.8 300, JP 30.6 138.5 1700, KE 0.5 37.8 610, KG 40.9 74.7 500,
  KH 12.8 105.2 340, KI -6.5 -171.3 2230, KM -11.9 43.9 100, KN 17.2 -62.7 40, KP 40.4 127.5 380,
  KR 36.1 128 380, KW 29.2 47.6 120, KY 19.5 -80.6 110, KZ 50.6 66.8 1500, LA 18.5 104.6 550,
  LB 33.9 35.8 130, LC 13.9 -60.9 40, LI 47.2 9.5 30, LK 7.9 80.3 240, LR 6.3 -9.1 290, LS -29.6 28.2 140,
  LT 55.4 23.8 210, LU 49.8 6.1 60, LV 56.3 24.6 240, LY 26.7 18.6 1010, MA 28.3 -9.9 1070, MC 43.7 7.4 20,
  MD 47 28 190, ME 42.7 19.2 110, MF 18.1 -63.1 30, MG -18.8 47.3 810, MH 9.6 168.8 570, MK 41.5 21.7 130,
  ML 16.9 -4.3 950, MM 19.2 97.8 1060, MN 48.9 104.2 1220, MO 22.2 113.5 30, MP 17.3 145.1 380,
  MQ 14.7 -61 50, MR 20.5 -10.9 810, MS 16.7 -62.2 30, MT 35.9 14.4 40, MU -15.2 59.7 660, MV 3.2 73 450,
  MW -13.3 34.1 470, MX 25.6 -101.8 1700, MY 5.9 109.5 1110, MZ -18.7 36.5 1030, NA -21.5 18.3 850,
  NC -21 167.4 450, NE 18.1 7.8 940, NF -29 167.9 30, NG 9.3 8.6 750, NI 13.1 -85 310, NL 52.2 5.3 190,
  NO 64.7 16 910, NP 28 84.2 440, NR -0.5 166.9 20, NU -19 -169.9 30, NZ -42.1 173.7 880, OM 21.5 54.7 590,
  PA 8.6 -80.1 350, PE -9.3 -73.1 1080, PF -17.6 -144.1 1150, PG -6.5 148 910, PH 12.8 121.5 950,
  PK 30.9 68.5 950, PL 51.7 19 420, PM 46.9 -56.3 40, PN -24.3 -127.8 320, PR 18.2 -66.6 160,
  PS 31.8 34.9 110, PT 39.5 -18.7 1100, PW 5.6 132.9 360, PY -23.5 -58.8 550, QA 25.4 51.2 110,
  RE -21.1 55.5 60, RO 45.6 25 390, RS 44.2 20.8 260, RU 66.1 91 4160, RW -2 29.8 140, SA 25 45.3 1150,
  SB -9.9 162.1 800, SC -6.6 51 630, SD 15.4 30 1050, SE 62.3 15.8 800, SG 1.3 103.8 40, SH -24.2 -12.4 1840,
  SI 46.2 14.9 150, SJ 76.5 5 800, SK 48.8 19.7 230, SL 8.5 -11.8 190, SM 43.9 12.4 30, SN 13.9 -14.3 380,
  SO 5.1 46.4 940, SR 4.2 -55.7 280, SS 6.8 30.1 710, ST 0.9 7 130, SV 13.5 -88.9 150, SX 18 -63.1 20,
  SY 35 39 410, SZ -26.5 31.6 110, TC 21.6 -71.8 90, TD 15.4 16.7 910, TF -31.1 56.4 2380, TG 8.7 0.7 310,
  TH 13 100.5 850, TJ 38.4 71.3 370, TK -9 -171.8 130, TL -8.9 125.7 200, TM 39.8 59.7 670, TN 33.8 9.6 410,
  TO -18.9 -175.9 400, TR 39 35.4 860, TT 10.7 -61.2 120, TV -7.6 178 310, TW 23.7 120.3 240,
  TZ -5.8 35.4 780, UA 49.1 31.1 680, UG 1.4 31.8 410, UM 33.5 -134 6070, US 43.6 -128 4770,
  UY -32.4 -55.9 310, UZ 42.8 64.7 760, VA 41.9 12.5 20, VC 13 -61.3 60, VE 8.3 -65.7 870, VG 18.6 -64.5 50,
  VI 18.1 -64.8 60, VN 16 105.3 840, VU -16.7 168.2 460, WF -13.8 -177.2 150, WS -13.8 -172.1 90,
  XK 42.5 20.8 100, YE 14.6 48.7 690, YT -12.8 45.1 50, ZA -28.5 25.2 930, ZM -13.2 27.8 730,
  ZW -18.8 29.4 470
`;

const circles: ReadonlyMap<string, Circle> = new Map(
  CIRCLES.trim()
    .split(/,\s+/)
    .map((entry) => {
      const [code = '', ...figures] = entry.split(' ');
      const [latitude = 0, longitude = 0, radiusKm = 0] = figures.map(Number);
      return [code, { latitude, longitude, radiusKm }];
    }),
);

/** Where a country lies, or `undefined` for a code that is none. */
export function circleOf(country: string): Circle | undefined {
  return circles.get(country);
}

/** All codes that {@link circleOf} knows. */
export function countryCodes(): readonly string[] {
  return [...circles.keys()];
}

let names: Intl.DisplayNames | undefined;

/** A country for a person to read, such as `Germany (DE)`. */
export function countryName(country: string): string {
  if (!circles.has(country)) return `an unknown country (${country})`;
  names ??= new Intl.DisplayNames(['en'], { type: 'region' });
  return `${names.of(country)} (${country})`;
}
