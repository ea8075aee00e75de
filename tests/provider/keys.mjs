// Fresh signing keys for each run: RS256, the algorithm every provider must offer, and ES256.
import { generateKeyPairSync } from 'node:crypto';

export function keys() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return [
    { ...rsa, kid: 'tests-rs256', use: 'sig', alg: 'RS256' },
    { ...ec, kid: 'tests-es256', use: 'sig', alg: 'ES256' },
  ];
}
