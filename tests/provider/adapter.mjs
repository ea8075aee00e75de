// Storage for oidc-provider in plain maps: nothing is evicted in the middle of a test, and clients come and go.
export function adapterOver(clients) {
  const store = new Map();
  const grants = new Map();

  return class {
    constructor(model) {
      this.model = model;
    }

    key(id) {
      return `${this.model}:${id}`;
    }

    async find(id) {
      if (this.model === 'Client') return clients.get(id)?.metadata;
      const entry = store.get(this.key(id));
      if (entry?.expiresAt && entry.expiresAt < Date.now()) return undefined;
      return entry?.payload;
    }

    async upsert(id, payload, expiresIn) {
      const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : undefined;
      store.set(this.key(id), { payload, expiresAt });
      if (payload.uid) store.set(`uid:${this.model}:${payload.uid}`, id);
      if (payload.grantId) {
        const members = grants.get(payload.grantId) ?? new Set();
        grants.set(payload.grantId, members.add(this.key(id)));
      }
    }

    async findByUid(uid) {
      return this.find(store.get(`uid:${this.model}:${uid}`));
    }

    async findByUserCode() {
      return undefined;
    }

    async destroy(id) {
      store.delete(this.key(id));
    }

    async consume(id) {
      const entry = store.get(this.key(id));
      if (entry) entry.payload.consumed = Math.floor(Date.now() / 1000);
    }

    async revokeByGrantId(grantId) {
      for (const key of grants.get(grantId) ?? []) store.delete(key);
      grants.delete(grantId);
    }
  };
}
