import { afterEach, describe, expect, it } from "vitest";
import { setSentences, said, spoken, spokenSentence } from "../src/strings/told";
import { words } from "../src/strings";
import { sentences } from "../src/strings/id";

const UNPROVEN = "a1 is unproven: it has not passed the gate of validation";
const places = (text: string) => new Set(text.match(/\{\d+#?\}/g));
/** A pattern with a value in each of its places. */
const example = (text: string) =>
  text.replaceAll(/\{\d+#\}/g, "7").replaceAll(/\{\d+\}/g, "XAUUSD");
const indonesian = () => setSentences(sentences, "id-ID");

afterEach(() => setSentences({}, "en-GB"));

describe("what the server says", () => {
  it("is English to English readers, and not marked as foreign to others once it is known", () => {
    const english = "Not traded: the features are still warming up.";
    expect(said(english)).toBe(english);
    indonesian();
    expect(spoken(english)).toEqual({ children: "Tidak ditradingkan: fitur masih pemanasan." });
  });

  it("keeps what no language knows, marked as English", () => {
    indonesian();
    const remark = "A quite unforeseen remark of a broker";
    expect(spoken(remark)).toEqual({ lang: "en", children: remark });
  });

  it.each([
    [
      "Not traded: 53.7% up 8.1 pips first within 15 min is worth -0.42 pips after 1.20 pips of cost.",
      "Tidak ditradingkan: 53,7% naik 8,1 pip lebih dulu dalam 15 mnt bernilai -0,42 pip setelah biaya 1,20 pip.",
    ],
    [
      "Sold 0.1 lots: 61.0% down 5.0 pips first within 5 min, worth +0.80 pips after cost (+0.10 at the lower confidence bound).",
      "Dijual 0,1 lot: 61,0% turun 5,0 pip lebih dulu dalam 5 mnt, bernilai +0,80 pip setelah biaya (+0,10 di batas bawah keyakinan).",
    ],
    [
      "deflated Sharpe ratio 0.91, at least 0.95 is needed",
      "rasio Sharpe terkoreksi (deflated) 0,91, perlu sedikitnya 0,95",
    ],
    ["real money is not armed: resume it first", "uang sungguhan belum diaktifkan: lanjutkan dulu"],
    [
      "lower bound of the skill against logistic regression: no evidence yet",
      "batas bawah keunggulan terhadap regresi logistik: belum ada bukti",
    ],
    [
      "Not traded: no usable forecast (no_model_available).",
      "Tidak ditradingkan: tidak ada prediksi yang dapat dipakai (tidak ada model).",
    ],
    ["daily loss is 1.5 %", "rugi harian: 1,5 %"],
    ["Loss: daily loss above 3 %", "Loss: rugi harian di atas 3 %"],
    ["EURUSD mid is not known yet", "EURUSD mid: belum diketahui"],
  ])("%s", (english, expected) => {
    indonesian();
    expect(said(english)).toBe(expected);
  });

  it("is told sentence by sentence", () => {
    indonesian();
    const [why, remedy] = ["There is no flow trend.", "`plan2 flow list` shows what there is."];
    expect(said("Ask the operator of this installation. Try again in a few seconds.")).toBe(
      "Tanyakan kepada operator instalasi ini. Coba lagi beberapa detik lagi.",
    );
    expect(spoken(why, remedy).children).toBe(
      "Tidak ada flow trend. `plan2 flow list` menunjukkan yang ada.",
    );
  });

  it("keeps a sentence to itself where the next begins with a command", () => {
    indonesian();
    const none = "There is no data set of EURUSD to compare with.";
    const remedy = "`plan2 dataset build NAME` makes one; it is taken up at the next start.";
    expect(said(`${none} ${remedy}`)).toBe(
      "Tidak ada kumpulan data EURUSD sebagai pembanding. `plan2 dataset build NAME` membuatnya; dipakai mulai pada start berikutnya.",
    );
  });

  it("is told remark by remark where several stand in a line", () => {
    indonesian();
    expect(said(`EURUSD: ${UNPROVEN}; USDJPY: ${UNPROVEN}`)).toBe(
      "EURUSD: a1 belum terbukti: belum lolos gerbang validasi; USDJPY: a1 belum terbukti: belum lolos gerbang validasi",
    );
    expect(
      said("Not traded by trend; no rate converts this symbol into the account's currency yet."),
    ).toBe(
      "Tidak ditradingkan oleh trend; belum ada kurs yang mengonversi simbol ini ke mata uang akun.",
    );
  });

  it("begins with a capital where a line begins with it", () => {
    indonesian();
    expect(spokenSentence("no suspicion of a leak").children).toBe("Tidak ada dugaan kebocoran");
  });

  it("has words for codes", () => {
    expect(words("partially_filled")).toBe("Partially filled");
    indonesian();
    expect([words("partially_filled"), words("order_journal")]).toEqual([
      "Terisi sebagian",
      "Order journal",
    ]);
  });

  it("takes the values of every pattern over, and each pattern knows its own sentence", () => {
    indonesian();
    for (const [english, text] of Object.entries(sentences)) {
      expect(places(text), english).toEqual(places(english));
      expect(said(example(english)), english).toBe(example(text));
    }
  });
});
