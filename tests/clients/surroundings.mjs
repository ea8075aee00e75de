// What a bundler or a browser would do for the clients, before they are loaded.
import dns from 'node:dns';
import { register } from 'node:module';

// Names under localhost are this machine's (RFC 6761 section 6.3), which not every resolver knows.
const lookup = dns.lookup;
dns.lookup = (name, options, done) => lookup(name.endsWith('.localhost') ? '127.0.0.1' : name, options, done);

// AppAuth-JS imports its own files without their extension.
const hooks = `export const resolve = (name, context, next) =>
  next(name, context).catch((error) => (name.startsWith('.') ? next(name + '.js', context) : Promise.reject(error)));`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
