/** Which language is shown, and how another one takes its place without a reload. */

import { create } from "zustand";
import { setNumberLocale } from "../format/numbers";
import { setTimeLocale } from "../format/times";
import { type Catalogues, setCatalogues } from "./index";
import { type Sentences, setSentences } from "./told";

export type Language = "en" | "id";

/** A language's own texts, and its words for what the server says. */
type Words = { catalogues: Catalogues; sentences: Sentences };
type Known = { name: string; locale: string; load: () => Promise<Words> };

/** A language's own name, its locale, and where its words are; English is always here. */
export const LANGUAGES: Readonly<Record<Language, Known>> = {
  en: {
    name: "English",
    locale: "en-GB",
    load: () => Promise.resolve({ catalogues: {}, sentences: {} }),
  },
  id: {
    name: "Bahasa Indonesia",
    locale: "id-ID",
    load: async () => {
      const { indonesian, sentences } = await import("./id");
      return { catalogues: indonesian, sentences };
    },
  },
};

/** The language that the texts on screen are in; whoever shows texts is drawn anew when it changes. */
export const useLanguage = create<{ shown: Language }>()(() => ({ shown: "en" }));

/** Loads a language and shows it; rejects, and changes nothing, when its chunk cannot be loaded. */
export async function showLanguage(language: Language): Promise<void> {
  const { locale, load } = LANGUAGES[language];
  const { catalogues, sentences } = await load();
  setCatalogues(catalogues, locale);
  setSentences(sentences, locale);
  setNumberLocale(locale);
  setTimeLocale(locale);
  document.documentElement.lang = language;
  useLanguage.setState({ shown: language });
}

/** The language that a text names, or English. */
export const languageOf = (name: unknown): Language => (name === "id" ? "id" : "en");
