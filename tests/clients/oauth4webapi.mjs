// oauth4webapi by its documentation: discovery, code with PKCE, a call, a refresh, revocation.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { person, redirectUri } from './person.mjs';

const [issuer, api] = process.argv.slice(2).map((text) => new URL(text));
const loose = { [oauth.allowInsecureRequests]: true };
const discovered = await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...loose });
const as = await oauth.processDiscoveryResponse(issuer, discovered);
const client = { client_id: 'phone' };
const none = oauth.None();

const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const address = new URL(as.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: redirectUri,
  response_type: 'code',
  scope: 'openid email',
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
});
const back = await person(address.href, redirectUri);
const params = oauth.validateAuthResponse(as, client, back, state);
const granted = await oauth.authorizationCodeGrantRequest(as, client, none, params, redirectUri, verifier, loose);
const tokens = await oauth.processAuthorizationCodeResponse(as, client, granted);
assert.match(tokens.access_token, /^crs_at_/);

const call = (token) => oauth.protectedResourceRequest(token, 'GET', api, undefined, undefined, loose);
assert.equal((await call(tokens.access_token)).status, 200);
const info = await oauth.userInfoRequest(as, client, tokens.access_token, loose);
assert.equal((await oauth.processUserInfoResponse(as, client, 'alice', info)).email, 'alice@example.com');

const refreshed = await oauth.refreshTokenGrantRequest(as, client, none, tokens.refresh_token, loose);
const renewed = await oauth.processRefreshTokenResponse(as, client, refreshed);
assert.notEqual(renewed.refresh_token, tokens.refresh_token);
assert.equal((await call(renewed.access_token)).status, 200);

const revoked = await oauth.revocationRequest(as, client, none, renewed.refresh_token, loose);
await oauth.processRevocationResponse(revoked);
await assert.rejects(call(renewed.access_token), oauth.WWWAuthenticateChallengeError);
console.log('done');
