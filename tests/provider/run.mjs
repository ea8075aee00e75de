// A certified OpenID provider for the black-box tests: npm `oidc-provider` behind a thin server that adds a plain
// login form, users by name, and `/_control/…` endpoints by which a test registers its client, looks at what the
// provider saw and makes it misbehave. Prints one JSON line when it listens, ends when its standard input closes.
import dns from 'node:dns';
import { createServer } from 'node:http';
import { Provider, interactionPolicy } from 'oidc-provider';
import { adapterOver } from './adapter.mjs';
import { Controls } from './control.mjs';
import { keys } from './keys.mjs';

const signingKeys = keys();
const controls = new Controls(signingKeys);

// Names under localhost are this machine (RFC 6761), which not every resolver knows.
const lookup = dns.lookup;
dns.lookup = (name, ...rest) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, ...rest);

// Levels of sign-in: whoever is asked for one signs in anew, and has it then. Other values are ignored.
const LEVELS = ['silver', 'gold'];

function levelOf(params) {
  return params.acr_values?.split(' ').find((one) => LEVELS.includes(one));
}

function policy() {
  const { Check, base } = interactionPolicy;
  const prompts = base();
  prompts.get('login').checks.add(new Check('level', 'a better sign-in is asked for', (ctx) => {
    const wanted = levelOf(ctx.oidc.params);
    return wanted && ctx.oidc.acr !== wanted && !ctx.oidc.result?.login ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
  }));
  return prompts;
}

function configuration(users) {
  return {
    acrValues: LEVELS,
    adapter: adapterOver(controls.clients),
    clientDefaults: { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] },
    cookies: { keys: ['not-a-secret-of-any-test'] },
    jwks: { keys: signingKeys },
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'roles', 'groups', 'department'],
      email: ['email', 'email_verified'],
    },
    // The ID token itself carries the claims: the gateway decides roles by it.
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      revocation: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      // Access tokens for APIs: signed ones (RFC 9068), or ones that must be asked about.
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'notes:read notes:write',
          audience: resource,
          ...(resource.includes('opaque')
            ? { accessTokenFormat: 'opaque' }
            : { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
        }),
      },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          const confirmed = form.replace('</form>', '<input type="hidden" name="logout" value="yes"/></form>');
          ctx.body = `<!doctype html><title>Signing out</title><body onload="document.forms[0].submit()">${confirmed}</body>`;
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = '<!doctype html><title>Signed out at the provider</title><p>Signed out at the provider.</p>';
        },
      },
    },
    // Logout tokens go to a gateway on this machine, which the provider's own dispatcher would refuse.
    fetch: (url, { dispatcher: _guarded, ...options }) => fetch(url, options),
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // A refresh token outlives the login session, as with offline_access after consent.
    expiresWithSession: () => false,
    ttl: {
      AccessToken: (_ctx, _token, client) => controls.settings(client.clientId).access_ttl ?? 3600,
      AuthorizationCode: 60,
      ClientCredentials: (_ctx, _token, client) => controls.settings(client.clientId).access_ttl ?? 3600,
      IdToken: 3600,
      RefreshToken: 86400,
      Grant: 86400,
      Interaction: 3600,
      Session: 86400,
    },
    interactions: { policy: policy(), url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = `<!doctype html><title>Provider error</title><pre>${escapeHtml(JSON.stringify(out))}</pre>`;
    },
    async findAccount(_ctx, sub) {
      const claims = users.get(sub);
      return claims && { accountId: sub, claims: async () => ({ sub, ...claims }) };
    },
    // No consent page, and a grant of its own for each login: revoking one session's tokens spares the others'.
    async loadExistingGrant(ctx) {
      const { provider, client, session, params } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
  };
}

function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

function loginPage(uid, message) {
  return `<!doctype html><html lang="en"><title>Sign in at the provider</title><link rel="icon" href="data:,">${message ? `<p>${message}</p>` : ''}
<form method="post" action="/interaction/${uid}">
<label>User name <input name="username" autocomplete="username"></label>
<label>Password <input name="password" type="password"></label>
<button type="submit">Sign in</button></form></html>`;
}

async function interaction(provider, users, req, res) {
  const { uid, params } = await provider.interactionDetails(req, res);
  const html = (message) => {
    res.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    res.end(loginPage(uid, message));
  };
  if (req.method !== 'POST') return html();
  const form = new URLSearchParams(req.body);
  const name = form.get('username');
  if (!users.has(name) || form.get('password') !== `${name}-password`) return html('Wrong user name or password.');
  const login = { accountId: name, acr: levelOf(params) };
  return provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
}

async function bodyOf(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// The port comes first, the provider (which needs its issuer) second.
const server = createServer();
await new Promise((resolve) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', resolve));
const issuer = `http://${process.env.ISSUER_HOST ?? 'idp.localhost'}:${server.address().port}`;
const provider = new Provider(issuer, configuration(controls.users));
controls.watch(provider);
const answer = provider.callback();

server.on('request', async (req, res) => {
  try {
    const { pathname, searchParams } = new URL(req.url, issuer);
    // Read ahead, so that faults can be chosen by client and grant; oidc-provider takes `req.body` as it is.
    if (req.method === 'POST') req.body = await bodyOf(req);
    if (pathname.startsWith('/_control/')) return controls.handle(pathname, searchParams, req, res);
    if (pathname.startsWith('/interaction/')) return await interaction(provider, controls.users, req, res);
    if (await controls.misbehave(pathname, searchParams, req, res)) return undefined;
    return answer(req, res);
  } catch (error) {
    if (!res.headersSent) res.writeHead(400, { 'content-type': 'text/plain' });
    return res.end(String(error));
  }
});

process.stdout.write(`${JSON.stringify({ issuer })}\n`);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
