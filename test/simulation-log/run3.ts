import { playSmallHistory } from './small-history.ts';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
const k = generateKeyPairSync('ed25519'); const m = Buffer.from('x'); const sg = sign(null, m, k.privateKey);
const bench = () => { const c0 = process.cpuUsage(); for (let i = 0; i < 3000; i++) verify(null, m, k.publicKey, sg); const c = process.cpuUsage(c0); return (c.user+c.system)/3e6; };
for (let kk = 0; kk < 5; kk++) console.log((await playSmallHistory(kk, 'before')).calls.length);
for (let round = 0; round < 4; round++) { const t0 = process.cpuUsage(); for (let at = 1; at <= 60; at++) await playSmallHistory(at * 4, 'after'); const t = process.cpuUsage(t0); console.log('ms each cpu', (t.user+t.system)/6e4, 'ed25519 verify ms', bench()); }
