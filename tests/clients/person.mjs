// A person with a system browser: follows the app's address through consent and login until the app's own redirect URI.
// Cookies by host; enough for the pages on the way.
export async function person(address, redirectUri, user = 'alice') {
  const jar = new Map();
  let request = { url: address };
  for (let hop = 0; hop < 30; hop += 1) {
    if (request.url.startsWith(redirectUri)) return new URL(request.url);
    const url = new URL(request.url);
    const cookies = jar.get(url.hostname) ?? new Map();
    jar.set(url.hostname, cookies);
    const headers = { accept: 'text/html', 'user-agent': 'system browser' };
    if (cookies.size > 0) headers.cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    if (request.body) {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      headers.origin = url.origin;
    }
    // Names under localhost are this machine's, whatever its resolver says.
    const target = new URL(url);
    target.hostname = '127.0.0.1';
    const answer = await send(target, url.host, request.body, headers);
    for (const line of answer.cookies) {
      const [name, ...value] = line.split(';')[0].split('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) cookies.delete(name);
      else cookies.set(name, value.join('='));
    }
    request = next(url, answer, user);
  }
  throw new Error('navigates in circles');
}

function next(url, answer, user) {
  if (answer.location) return { url: resolve(answer.location, url) };
  const refresh = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(answer.text);
  if (refresh) return { url: resolve(unescape(refresh[1]), url) };
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(answer.text);
  if (!form) throw new Error(`rests at ${url} with ${answer.status}: ${answer.text.slice(0, 600)}`);
  const fields = new URLSearchParams();
  for (const [tag] of form[2].matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    if (name) fields.set(name, unescape(/value="([^"]*)"/.exec(tag)?.[1] ?? ''));
  }
  if (fields.has('username')) fields.set('username', user);
  if (fields.has('password')) fields.set('password', `${user}-password`);
  return { url: resolve(unescape(form[1]), url), body: fields.toString() };
}

function resolve(location, base) {
  return /^[a-z][a-z0-9+.-]*:/i.test(location) ? location : new URL(location, base).href;
}

function unescape(text) {
  return text.replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))).replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
}

import { request as http } from 'node:http';

function send(target, host, body, headers) {
  return new Promise((done, fail) => {
    const request = http(target, { method: body ? 'POST' : 'GET', headers: { ...headers, host } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => done({
        status: answer.statusCode, text, location: answer.headers.location, cookies: answer.headers['set-cookie'] ?? [],
      }));
    });
    request.on('error', fail);
    request.end(body);
  });
}

// A custom scheme: no app needs to listen, and no name is looked up.
export const redirectUri = 'com.example.phone:/callback';
