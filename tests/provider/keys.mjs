// Fresh signing keys for each run: RS256, the algorithm every provider must offer, and ES256.
import {
  createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign as signature,
} from 'node:crypto';

export function keys() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return [
    { ...rsa, kid: 'tests-rs256', use: 'sig', alg: 'RS256' },
    { ...ec, kid: 'tests-es256', use: 'sig', alg: 'ES256' },
  ];
}

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

// Signs whatever header and claims a test makes up, with one of the provider's keys ('RS256', 'ES256'), a stranger's,
// the provider's public key taken for a shared secret ('HS256'), or not at all ('none').
export function sign(keys, { key, header, claims }) {
  const message = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${message}.${base64url(signed(keys, key, message))}`;
}

function signed(keys, key, message) {
  const own = (alg) => createPrivateKey({ key: keys.find((jwk) => jwk.alg === alg), format: 'jwk' });
  const ec = (privateKey) => signature('sha256', Buffer.from(message), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  switch (key) {
    case 'RS256':
      return signature('sha256', Buffer.from(message), own('RS256'));
    case 'ES256':
      return ec(own('ES256'));
    case 'stranger':
      return ec(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    case 'HS256': {
      const secret = createPublicKey(own('RS256')).export({ format: 'pem', type: 'spki' });
      return createHmac('sha256', secret).update(message).digest();
    }
    default:
      return '';
  }
}
