// A gateway of the stories' own: `cloakroom serve` beside the black-box tests' provider (npm oidc-provider), an app whose
// pages need a session, and another site that links to it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, get } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROVIDER = join(dirname(fileURLToPath(import.meta.url)), "../../tests/provider");
const SECRET = "client-secret-of-the-stories";

async function serveHtml(html) {
  const server = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(html(request));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, stop: () => server.close() };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// A node process was seen to stand still before its first line of ours, twice in some thousand starts.
async function triedProvider(host) {
  const env = { ...process.env, ISSUER_HOST: host };
  const child = spawn("node", ["run.mjs"], { cwd: PROVIDER, stdio: ["pipe", "pipe", "inherit"], env });
  const line = await new Promise((resolve) => {
    createInterface(child.stdout).once("line", resolve).once("close", resolve);
    setTimeout(resolve, 30_000).unref();
  });
  if (line) return { child, line };
  child.kill("SIGKILL");
}

async function startProvider(host) {
  const { child, line } = (await triedProvider(host)) ?? (await triedProvider(host)) ?? {};
  if (!line) throw new Error("the provider did not say where it listens, twice");
  const { issuer } = JSON.parse(line);
  // Node's own resolver may not know names under localhost.
  const local = issuer.replace(host, "127.0.0.1");
  const control = (command, body) => fetch(`${local}/_control/${command}`, { method: "POST", body: JSON.stringify(body) });
  return { issuer, control, stop: () => child.stdin.end() };
}

function configuration({ port, management, issuer, upstream, client, more }) {
  return `[server]
listen = "127.0.0.1:${port}"
management = "127.0.0.1:${management}"

[store]
url = "sqlite:cloakroom.db"

[keys]
root = "file:root.key"

[log]
filter = "warn"

[providers.main]
issuer = "${issuer}"

[providers.main.registrations.web]
client_id = "stories"
client_secret = "env:STORIES_SECRET"
scopes = ["openid", "profile"]

[clients.app]
kind = "web"
${client}
[sites.app]
origin = "http://app.localhost:${port}"
client = "app"

[upstreams.app]
url = "http://127.0.0.1:${upstream}"

[[routes]]
site = "app"
path = "/pages/"
upstream = "app"
kind = "page"
token = "user"
access = "signed_in"

[[routes]]
site = "app"
path = "/"
upstream = "app"
kind = "page"
access = "anonymous"
${more}`;
}

const CLIENT = 'name = "Story app"\nregistrations = ["main.web"]\n';

// The provider is another site than the app's, unless its host says otherwise; `client` are the lines of the app's client,
// `more` whole sections.
export async function startGateway(providerHost = "idp.localhost", { client = CLIENT, more = "", files = {} } = {}) {
  const bin = process.env.CLOAKROOM_BIN;
  if (!bin) throw new Error("CLOAKROOM_BIN must name the cloakroom binary; `cargo xtask test` sets it");
  const folder = await mkdtemp(join(tmpdir(), "cloakroom-e2e-"));
  const provider = await startProvider(providerHost);
  const app = await serveHtml((request) => `<!doctype html><title>Story app</title><h1>${encodeURI(request.url)}</h1>`);
  const [port, management] = [await freePort(), await freePort()];
  const origin = `http://app.localhost:${port}`;
  const links = (path) => `<a href="${origin}${path}">${path}</a>`;
  const frames = (path) => `<iframe src="${origin}${path}"></iframe>`;
  const evil = await serveHtml((request) => {
    const { searchParams } = new URL(request.url, "http://evil.localhost");
    const shown = [...searchParams.getAll("to").map(links), ...searchParams.getAll("frame").map(frames)];
    return `<!doctype html><title>Elsewhere</title>${shown.join("<br>")}`;
  });
  await provider.control("client", {
    client_id: "stories",
    client_secret: SECRET,
    redirect_uris: [`${origin}/bff/callback`],
    post_logout_redirect_uris: [`${origin}/bff/signed-out`],
  });
  await writeFile(join(folder, "root.key"), randomBytes(32).toString("base64"), { mode: 0o600 });
  const file = join(folder, "cloakroom.toml");
  await writeFile(file, configuration({ port, management, issuer: provider.issuer, upstream: app.port, client, more }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const environment = { ...process.env, STORIES_SECRET: SECRET };
  const child = spawn(bin, ["serve", "--config", file], { stdio: "inherit", env: environment });
  const ready = async () => (await fetch(`http://127.0.0.1:${management}/readyz`).catch(() => null))?.ok;
  for (let i = 0; !(await ready()); i += 1) {
    if (i > 200) throw new Error("the gateway is not ready after ten seconds");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const stop = async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    provider.stop();
    app.stop();
    evil.stop();
    await rm(folder, { recursive: true, force: true });
  };
  // What the gateway itself answers to a navigation, as a page that does not lead on.
  const still = async (path, site = "none") => {
    const headers = { host: `app.localhost:${port}`, "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
    const html = await new Promise((resolve) => {
      get({ host: "127.0.0.1", port, path, headers }, async (answer) => resolve((await answer.toArray()).join("")));
    });
    return html.replace(/<script>[^]*?<\/script>|<meta http-equiv="refresh"[^>]*>/g, "");
  };
  return { origin, still, evil: `http://evil.localhost:${evil.port}`, issuer: provider.issuer, provider, stop };
}
