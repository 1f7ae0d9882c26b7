/** The browser's check of proofs, against the published tree and against what our server tells. */

import { describe, expect, it } from "vitest";
import { hasSignature, isIncluded, type Proof, verdictOf } from "../src/pages/audit/inclusion";
import told from "./proofs.json";

const FLIPPED = "0".repeat(64);
const fifth = told.events[4] as (typeof told.events)[number];

describe("inclusion in the signed log", () => {
  it.each(told.events)("proves event $position of thirteen", async ({ position, hash, proof }) => {
    expect(await verdictOf(position, hash, proof, told.public_key)).toBe("proven");
  });

  it("refuses another event, another place, another size", async () => {
    const { position, hash, proof } = fifth;
    expect(await isIncluded(position - 1, FLIPPED, proof)).toBe(false);
    expect(await isIncluded(position, hash, proof)).toBe(false);
    expect(await isIncluded(position - 1, hash, { ...proof, size: 3 })).toBe(false);
    expect(await isIncluded(-1, hash, proof)).toBe(false);
    expect(await isIncluded(position - 1, "not a hash", proof)).toBe(false);
  });

  it("refuses every path with one step changed, missing or too many", async () => {
    const { position, hash, proof } = fifth;
    const paths = proof.path.flatMap((_, at) => [
      proof.path.with(at, FLIPPED),
      proof.path.toSpliced(at, 1),
      proof.path.toSpliced(at, 0, FLIPPED),
    ]);
    const wrong = [...paths, [...proof.path, FLIPPED]];
    const found = await Promise.all(
      wrong.map((path) => isIncluded(position - 1, hash, { ...proof, path })),
    );
    expect(found).toEqual(wrong.map(() => false));
  });

  it("refuses a root that nobody signed, and says when it has no key", async () => {
    const { position, hash, proof } = fifth;
    const changes = [
      { signature: "00".repeat(64) },
      { signed_us: 1 },
      { tenant: "other" },
      { previous: FLIPPED },
    ];
    const found = await Promise.all(
      changes.map((change) => verdictOf(position, hash, { ...proof, ...change }, told.public_key)),
    );
    expect(found).toEqual(changes.map(() => "broken"));
    expect(await hasSignature(proof, FLIPPED)).toBe(false);
    expect(await hasSignature(proof, "beef")).toBe(false);
    expect(await verdictOf(position, hash, proof, "")).toBe("unsigned");
  });
});

/** Leaf 5 of the eight of the Certificate Transparency reference tests; its data is no hash there. */
describe("the published tree", () => {
  const proof: Proof = {
    ...fifth.proof,
    size: 8,
    path: [
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    leaf_hash: "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    root_hash: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  };

  it("gives the published root", async () => {
    expect(await isIncluded(5, "40414243", proof)).toBe(true);
    expect(await isIncluded(4, "40414243", proof)).toBe(false);
  });
});
