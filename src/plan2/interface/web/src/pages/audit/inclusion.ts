/**
 * Checks in the browser that an event is in the signed log: RFC 9162 §2.1.3.2 over SHA-256, and the
 * Ed25519 signature of the head. Nothing is asked of the server here.
 */

import type { Answer } from "../../api/typed";

export type Proof = NonNullable<Answer<"get", "/api/v1/audit/{position}">["proof"]>;

/** "unsigned": the path is right, but this browser cannot check signatures, or has no key. */
export type Verdict = "proven" | "unsigned" | "broken" | "unable";

const LEAF = 0;
const NODE = 1;
const HASH = /^[0-9a-f]{64}$/;
const HEX = /^([0-9a-f]{2})*$/;

/** What the server said about an event, found out here. `position` counts from 1. */
export async function verdictOf(
  position: number,
  hash: string,
  proof: Proof,
  publicKey: string,
): Promise<Verdict> {
  // Browsers offer cryptography over https and on this machine only.
  if (!globalThis.crypto?.subtle) return "unable";
  if (!(await isIncluded(position - 1, hash, proof))) return "broken";
  const isSigned = publicKey ? await hasSignature(proof, publicKey) : null;
  if (isSigned === null) return "unsigned";
  return isSigned ? "proven" : "broken";
}

/** Whether an event with this chain hash is leaf `index`, from 0, of the proof's tree. */
export async function isIncluded(index: number, hash: string, proof: Proof): Promise<boolean> {
  const { size, path, root_hash, leaf_hash } = proof;
  if (index < 0 || index >= size) return false;
  if (!HEX.test(hash) || ![root_hash, leaf_hash, ...path].every((each) => HASH.test(each)))
    return false;
  const leaf = await sha256(LEAF, bytesOf(hash));
  if (digits(leaf) !== leaf_hash) return false;
  const root = await climb(leaf, index, size - 1, path);
  return root !== null && digits(root) === root_hash;
}

/** From the node at `place`, of places 0 to `last` on its level, to the root; null: no way. */
async function climb(
  node: Uint8Array,
  place: number,
  last: number,
  [step, ...rest]: string[],
): Promise<Uint8Array | null> {
  if (step === undefined) return last === 0 ? node : null;
  if (last === 0) return null;
  const isRight = place % 2 === 1 || place === last;
  const sides = isRight ? [bytesOf(step), node] : [node, bytesOf(step)];
  const parent = await sha256(NODE, ...sides);
  let [above, lastAbove] = [place, last];
  if (isRight)
    while (above % 2 === 0 && above > 0) [above, lastAbove] = [half(above), half(lastAbove)];
  return climb(parent, half(above), half(lastAbove), rest);
}

/** Whether the head is signed with this key; null where the browser does not know Ed25519. */
export async function hasSignature(proof: Proof, publicKey: string): Promise<boolean | null> {
  const lines = [
    "plan2 checkpoint v1",
    proof.tenant,
    proof.size,
    proof.head_hash,
    proof.root_hash,
    proof.signed_us,
    proof.previous,
  ];
  const text = new TextEncoder().encode(lines.join("\n"));
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey("raw", bytesOf(publicKey), "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotSupportedError") return null;
    return false;
  }
  return crypto.subtle.verify("Ed25519", key, bytesOf(proof.signature), text);
}

const half = (number: number) => Math.floor(number / 2);

async function sha256(kind: number, ...parts: Uint8Array[]): Promise<Uint8Array> {
  const text = await new Blob([Uint8Array.of(kind), ...parts.map(copyOf)]).arrayBuffer();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", text));
}

const copyOf = (bytes: Uint8Array) => new Uint8Array(bytes);

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function digits(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
