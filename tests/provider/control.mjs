// What a test can ask of the provider: register its client, name a user, see what arrived, and break things.
// Everything is kept by client id, so that tests that share one provider do not see each other.
import { sign } from './keys.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const ENDPOINTS = { '/auth': 'authorize', '/token': 'token', '/token/revocation': 'revocation', '/me': 'userinfo' };

function user(name, roles) {
  return [name, {
    name: `${name[0].toUpperCase()}${name.slice(1)} Example`,
    preferred_username: name,
    email: `${name}@example.com`,
    email_verified: true,
    roles,
    groups: ['everyone'],
  }];
}

export class Controls {
  clients = new Map();

  constructor(keys) {
    this.keys = keys;
  }

  users = new Map([
    user('alice', []),
    user('bob', []),
    user('carol', []),
    user('vera', ['viewer']),
    user('oscar', ['operator']),
    user('olivia', ['owner']),
  ]);

  settings(clientId) {
    return this.clients.get(clientId)?.settings ?? {};
  }

  seen(clientId) {
    return this.clients.get(clientId)?.seen;
  }

  watch(provider) {
    provider.on('grant.success', (ctx) => {
      const seen = this.seen(ctx.oidc.client.clientId);
      const { access_token: access, refresh_token: refresh, id_token: id } = ctx.body;
      seen.granted.push({ grant_type: ctx.oidc.params.grant_type, access, refresh, id });
    });
    provider.on('grant.error', (ctx, error) => {
      this.seen(ctx.oidc.client?.clientId)?.refused.push({ grant_type: ctx.oidc.params?.grant_type, error: error.error });
    });
    provider.on('backchannel.success', (_ctx, client) => this.seen(client.clientId)?.logouts.push({ delivered: true }));
    provider.on('backchannel.error', (_ctx, error, client) => {
      this.seen(client.clientId)?.logouts.push({ delivered: false, error: String(error) });
    });
    provider.on('server_error', (_ctx, error) => process.stderr.write(`${error.stack}\n`));
  }

  async handle(pathname, search, req, res) {
    const input = req.body ? JSON.parse(req.body) : {};
    const output = this.command(pathname.slice('/_control/'.length), input, search);
    res.writeHead(output === undefined ? 404 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(output ?? {}));
  }

  command(name, input, search) {
    switch (name) {
      case 'client': {
        const { access_ttl, ...metadata } = input;
        const seen = { authorize: [], token: [], granted: [], refused: [], revocation: [], logouts: [], userinfo: 0 };
        this.clients.set(metadata.client_id, { metadata, settings: { access_ttl }, seen, faults: [] });
        return {};
      }
      case 'user':
        this.users.set(input.sub, input.claims);
        return {};
      case 'sign':
        return { token: sign(this.keys, input) };
      case 'ttl':
        this.clients.get(input.client_id).settings.access_ttl = input.access_ttl;
        return {};
      case 'fault':
        this.clients.get(input.client_id).faults.push({ times: Infinity, ...input });
        return {};
      case 'heal':
        this.clients.get(input.client_id).faults = [];
        return {};
      case 'seen':
        return this.seen(search.get('client_id'));
      default:
        return undefined;
    }
  }

  // Records the request; true when a fault has taken the answer over.
  async misbehave(pathname, search, req, res) {
    const endpoint = ENDPOINTS[pathname];
    if (!endpoint) return false;
    const form = new URLSearchParams(req.body);
    const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? '');
    const clientId = search.get('client_id') ?? form.get('client_id')
      ?? (basic && decodeURIComponent(Buffer.from(basic[1], 'base64').toString().split(':')[0]));
    const client = this.clients.get(clientId);
    if (!client) return false;
    this.record(client.seen, endpoint, search, form);
    const grant = form.get('grant_type');
    const fault = client.faults.find((f) => f.endpoint === endpoint && (!f.grant || f.grant === grant) && f.times > 0);
    if (!fault) return false;
    fault.times -= 1;
    return this.apply(fault, res);
  }

  record(seen, endpoint, search, form) {
    if (endpoint === 'authorize') seen.authorize.push(Object.fromEntries(search));
    if (endpoint === 'token') seen.token.push(Object.fromEntries(form));
    if (endpoint === 'revocation') seen.revocation.push(Object.fromEntries(form));
    if (endpoint === 'userinfo') seen.userinfo += 1;
  }

  async apply(fault, res) {
    switch (fault.mode) {
      case 'delay':
        await sleep(fault.ms);
        return false;
      case 'status':
        res.writeHead(fault.status, { 'content-type': fault.type ?? 'application/json' });
        res.end(fault.body ?? '{}');
        return true;
      case 'drop':
        res.destroy();
        return true;
      // The request is carried out at once, its answer comes late.
      case 'late': {
        const end = res.end.bind(res);
        res.end = function late(...body) {
          setTimeout(() => end(...body), fault.ms);
          return res;
        };
        return false;
      }
      // The request is carried out, its answer is lost on the way.
      case 'lose':
        res.end = function lose() {
          res.destroy();
          return res;
        };
        return false;
      // The request is carried out, and members of its JSON answer are changed; null takes one away.
      case 'change': {
        const end = res.end.bind(res);
        res.end = function change(body) {
          const answer = { ...JSON.parse(body), ...fault.set };
          const text = JSON.stringify(Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null)));
          res.setHeader('content-length', Buffer.byteLength(text));
          return end(text);
        };
        return false;
      }
      default:
        return true; // 'hang': never an answer
    }
  }
}
