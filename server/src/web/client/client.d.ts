/** Who is signed in. */
export interface User {
  sub: string;
  claims: Record<string, unknown>;
  session: {
    id: string;
    /** Seconds until the session ends in any case. */
    expires_in: number;
    /** Seconds until it ends if it is not used. */
    idle_expires_in: number;
    /** Seconds since 1970; `null` when the provider did not say. */
    auth_time: number | null;
    acr: string | null;
    amr: string[];
  };
  logout_url: string;
}

export interface LoginOptions {
  /** A path of this site; the present page when left out. */
  returnTo?: string;
  provider?: string;
  prompt?: string;
  loginHint?: string;
  acrValues?: string;
  maxAge?: number;
  uiLocales?: string;
}

export type SessionEvent =
  | { type: "session"; id: string; expires_in: number; idle_expires_in: number }
  | { type: "expiring"; expires_in: number; because: "idle" | "absolute" }
  | { type: "step-up" }
  | { type: "ended"; reason_code: string; reason: string };

/** A refusal of the gateway (RFC 9457). */
export class CloakroomError extends Error {
  readonly status: number;
  /** Stable, such as `sign-in-needed`: see the guide for web apps. */
  readonly code: string;
  readonly requestId: string | null;
  readonly loginUrl: string | null;
  readonly stepUpUrl: string | null;
  readonly problem: Record<string, unknown>;
  readonly response: Response;
}

export interface Cloakroom {
  user(options?: { slide?: boolean }): Promise<User | null>;
  login(options?: LoginOptions): Promise<never>;
  stepUp(options?: LoginOptions & { url?: string }): Promise<never>;
  logout(): Promise<never>;
  fetch(path: string, options?: RequestInit & { signIn?: boolean }): Promise<Response>;
  onSessionEvent(listener: (event: SessionEvent) => void): () => void;
  onBeforeLeave(keep: () => void): () => void;
}

export const cloakroom: Cloakroom;
export default cloakroom;
