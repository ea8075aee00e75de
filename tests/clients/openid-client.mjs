// openid-client by its documentation: it asks for the OpenID Connect document by itself.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { person, redirectUri } from './person.mjs';

const [issuer, api] = process.argv.slice(2).map((text) => new URL(text));
const config = await client.discovery(issuer, 'phone', undefined, client.None(), { execute: [client.allowInsecureRequests] });

const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: 'openid email',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
});
const back = await person(address.href, redirectUri);
const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state });
assert.match(tokens.access_token, /^crs_at_/);
assert.equal(tokens.claims(), undefined);

const call = (token) => client.fetchProtectedResource(config, token, api, 'GET');
assert.equal((await call(tokens.access_token)).status, 200);
assert.equal((await client.fetchUserInfo(config, tokens.access_token, 'alice')).email, 'alice@example.com');
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.equal((await call(renewed.access_token)).status, 200);
// Signing out in the browser: apps get no ID token, and what stands for one came with the tokens.
const signedOut = 'com.example.phone:/signed-out';
const leave = client.buildEndSessionUrl(config, {
  id_token_hint: renewed.logout_hint,
  post_logout_redirect_uri: signedOut,
  state,
});
assert.equal((await person(leave.href, signedOut)).searchParams.get('state'), state);
await assert.rejects(call(renewed.access_token));
await client.tokenRevocation(config, renewed.refresh_token);
console.log('done');
