// openid-client with a pushed request and DPoP, by its documentation.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { person, redirectUri } from './person.mjs';

const [issuer, api] = process.argv.slice(2).map((text) => new URL(text));
const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
const config = await client.discovery(issuer, 'phone', undefined, client.None(), options);
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));

const verifier = client.randomPKCECodeVerifier();
const parameters = {
  redirect_uri: redirectUri,
  scope: 'openid',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
};
const address = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
assert.ok(address.searchParams.get('request_uri').startsWith('urn:ietf:params:oauth:request_uri:'));
const back = await person(address.href, redirectUri);
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier }, undefined, { DPoP });
assert.equal(tokens.token_type, 'dpop');
const call = (token) => client.fetchProtectedResource(config, token, api, 'GET', undefined, undefined, { DPoP });
assert.equal((await call(tokens.access_token)).status, 200);
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
assert.equal((await call(renewed.access_token)).status, 200);
console.log('done');
