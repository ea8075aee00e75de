// @openid/appauth (AppAuth-JS): the library's own classes for discovery, code, refresh and revocation, with its fetch
// requestor. A person stands in for the window that its browser handler would open.
import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import { person, redirectUri } from './person.mjs';

// What the library expects of a browser, before it is loaded.
globalThis.window = { crypto: webcrypto };
const appauth = await import('@openid/appauth');

const [issuer, api] = process.argv.slice(2);
const requestor = new appauth.FetchRequestor();
const configuration = await appauth.AuthorizationServiceConfiguration.fetchFromIssuer(issuer, requestor);
const request = new appauth.AuthorizationRequest({
  client_id: 'phone', redirect_uri: redirectUri, scope: 'openid email', response_type: 'code',
}, new appauth.DefaultCrypto());
await request.setupCodeVerifier();
const address = new URL(configuration.authorizationEndpoint);
address.search = new URLSearchParams({
  redirect_uri: request.redirectUri, client_id: request.clientId, response_type: request.responseType,
  state: request.state, scope: request.scope, ...request.extras,
});
const back = await person(address.href, redirectUri);
assert.equal(back.searchParams.get('state'), request.state);

const handler = new appauth.BaseTokenRequestHandler(requestor);
const tokens = await handler.performTokenRequest(configuration, new appauth.TokenRequest({
  client_id: 'phone', redirect_uri: redirectUri, grant_type: appauth.GRANT_TYPE_AUTHORIZATION_CODE,
  code: back.searchParams.get('code'), extras: { code_verifier: request.internal.code_verifier },
}));
assert.match(tokens.accessToken, /^crs_at_/);
const call = async (token) => (await fetch(api, { headers: { authorization: `Bearer ${token}` } })).status;
assert.equal(await call(tokens.accessToken), 200);
const renewed = await handler.performTokenRequest(configuration, new appauth.TokenRequest({
  client_id: 'phone', redirect_uri: redirectUri, grant_type: appauth.GRANT_TYPE_REFRESH_TOKEN,
  refresh_token: tokens.refreshToken,
}));
assert.equal(await call(renewed.accessToken), 200);
await handler.performRevokeTokenRequest(configuration, new appauth.RevokeTokenRequest({
  client_id: 'phone', token: renewed.refreshToken,
}));
assert.equal(await call(renewed.accessToken), 401);
console.log('done');
