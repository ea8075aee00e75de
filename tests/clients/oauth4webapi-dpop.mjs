// oauth4webapi with DPoP: it learns the nonce by itself, as its documentation shows.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { person, redirectUri } from './person.mjs';

const [issuer, api] = process.argv.slice(2).map((text) => new URL(text));
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', [oauth.allowInsecureRequests]: true });
const as = await oauth.processDiscoveryResponse(issuer, discovered);
assert.ok(as.dpop_signing_alg_values_supported.includes('ES256'));
const client = { client_id: 'phone' };
const none = oauth.None();
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'));
const loose = { [oauth.allowInsecureRequests]: true, DPoP };

const verifier = oauth.generateRandomCodeVerifier();
const address = new URL(as.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid',
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  dpop_jkt: await DPoP.calculateThumbprint(),
});
const back = await person(address.href, redirectUri);
const params = oauth.validateAuthResponse(as, client, back, oauth.expectNoState);
const granted = await oauth.authorizationCodeGrantRequest(as, client, none, params, redirectUri, verifier, loose);
const tokens = await oauth.processAuthorizationCodeResponse(as, client, granted);
assert.equal(tokens.token_type, 'dpop');

const once = (token) => oauth.protectedResourceRequest(token, 'GET', api, undefined, undefined, loose);
const call = (token) => once(token).catch((error) => {
  if (oauth.isDPoPNonceError(error)) return once(token);
  throw error;
});
assert.equal((await call(tokens.access_token)).status, 200);
const refreshed = await oauth.refreshTokenGrantRequest(as, client, none, tokens.refresh_token, loose);
const renewed = await oauth.processRefreshTokenResponse(as, client, refreshed);
assert.equal((await call(renewed.access_token)).status, 200);
const bare = await fetch(api, { headers: { authorization: `Bearer ${renewed.access_token}` } });
assert.equal(bare.status, 401);
console.log('done');
