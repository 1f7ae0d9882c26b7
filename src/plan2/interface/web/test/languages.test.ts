import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { duration, money, percent, price, setNumberLocale } from "../src/format/numbers";
import { ago, clock, dayMonth, setTimeLocale } from "../src/format/times";
import { setCatalogues, t, texts } from "../src/strings";
import { admin } from "../src/strings/admin";
import { alerts } from "../src/strings/alerts";
import { assistants } from "../src/strings/assistants";
import { backtests } from "../src/strings/backtests";
import { en } from "../src/strings/en";
import { flows } from "../src/strings/flows";
import { indonesian } from "../src/strings/id";
import { help } from "../src/strings/help";
import { learning } from "../src/strings/learning";
import { models } from "../src/strings/models";
import { oneClick } from "../src/strings/oneClick";
import { research } from "../src/strings/research";
import { risk } from "../src/strings/risk";
import { telegram } from "../src/strings/telegram";
import { training } from "../src/strings/training";

const STRINGS = path.join(import.meta.dirname, "../src/strings");
const NOT_CATALOGUES = new Set(["index.ts", "language.ts", "told.ts"]);
const ENGLISH: Record<string, Record<string, string>> = {
  main: en,
  admin,
  alerts,
  assistants,
  backtests,
  flows,
  help,
  learning,
  models,
  oneClick,
  research,
  risk,
  telegram,
  training,
};
const JANUARY_US = Date.UTC(2026, 0, 5, 14, 5, 9) * 1_000;

function speak(locale: "en-GB" | "id-ID"): void {
  setCatalogues(locale === "id-ID" ? indonesian : {}, locale);
  setNumberLocale(locale);
  setTimeLocale(locale);
}

afterEach(() => speak("en-GB"));

/** Names of the values that a text has room for. */
const places = (text: string): string[] =>
  [...text.matchAll(/\{(\w+)(?:\|[^}]*)?\}/g)].map((found) => found[1] ?? "").toSorted();

describe("catalogues", () => {
  it("have a twin in every language, file by file", () => {
    const files = readdirSync(STRINGS).filter((name) => name.endsWith(".ts"));
    const lacking = files.filter(
      (name) =>
        !NOT_CATALOGUES.has(name) &&
        !existsSync(path.join(STRINGS, "id", name === "en.ts" ? "main.ts" : name)),
    );
    expect(lacking).toEqual([]);
  });

  it("are handed over under the name that the page asks for", () => {
    const asked = readdirSync(STRINGS)
      .filter((name) => name.endsWith(".ts") && name !== "index.ts")
      .flatMap((name) => {
        const source = readFileSync(path.join(STRINGS, name), "utf8");
        return Array.from(source.matchAll(/texts\(\w+(?:, "(\w+)")?\)/g));
      })
      .map((found) => found[1] ?? "a catalogue without a name");
    expect(["main", ...asked].toSorted()).toEqual(Object.keys(indonesian).toSorted());
  });

  it.each(Object.keys(ENGLISH))(
    "%s: no text is empty or drops a value of the English one",
    (name) => {
      for (const [key, text] of Object.entries(indonesian[name] ?? {})) {
        expect(text.trim(), key).not.toBe("");
        const wanted = new Set(places(ENGLISH[name]?.[key] ?? ""));
        expect(new Set(places(text)), key).toEqual(wanted);
      }
    },
  );
});

describe("a language", () => {
  it("changes texts, also those of pages loaded later, and back", () => {
    const a = texts(admin, "admin");
    expect([t("page.positions"), a("word.yes")]).toEqual(["Positions", "Yes"]);
    speak("id-ID");
    expect([t("page.positions"), a("word.yes")]).toEqual(["Posisi", "Ya"]);
    speak("en-GB");
    expect(t("page.positions")).toBe("Positions");
  });

  it("keeps two pages' texts of the same key apart", () => {
    speak("id-ID");
    expect(texts(learning, "learning")("field.waiting")).toBe("Menunggu");
    expect(texts({ "field.state": "State of mine" })("field.state")).toBe("State of mine");
  });

  it("writes numbers and times as its readers do", () => {
    speak("id-ID");
    expect(money("-1234567.5")).toBe("\u22121.234.567,50");
    expect(price(151.2, 3)).toBe("151,200");
    expect(percent(0.0123)).toBe("1,23\u202f%");
    expect(duration(3_200)).toBe("3,20 ms");
    expect(clock(JANUARY_US, "utc")).toBe("14.05.09");
    expect(dayMonth(JANUARY_US, "utc")).toBe("5 Jan");
    expect(ago(0, 600_000_000)).toBe("10 mnt");
  });

  it("chooses the form that goes with a number", () => {
    expect(t("table.total_of", { count: 1 })).toBe("Total of 1 position, net");
    expect(t("table.total_of", { count: 2 })).toBe("Total of 2 positions, net");
    speak("id-ID");
    expect(t("table.total_of", { count: 2 })).toBe("Total 2 posisi, bersih");
  });
});

describe("a page", () => {
  it("makes its texts when it is drawn, so that another language takes hold", () => {
    const sources = path.join(import.meta.dirname, "../src");
    const early = readdirSync(sources, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("strings"))
      .filter((name) =>
        /^(?:export )?const \w+(?:: [^=\n]+)? = (?:\[|\{)\n(?:(?: .*)?\n)*?\s+(?:\w+|\w+: \w+|title|label|text): [a-z]\("/m.test(
          readFileSync(path.join(sources, name), "utf8"),
        ),
      );
    expect(early).toEqual([]);
  });
});
