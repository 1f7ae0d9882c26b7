/** Collects the licence of every package whose code is in the bundle into THIRD_PARTY_NOTICES.txt. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

const RULE = "=".repeat(80);

/** The folder of the package that a module file belongs to, or null for our own files. */
export function packageFolder(moduleId: string): string | null {
  const clean = moduleId.replaceAll("\\", "/").split("?")[0] ?? "";
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(clean);
  return found?.[1]?.replace(/^\0/, "") ?? null;
}

function licenceText(folder: string): string {
  const names = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|notice|copying)/i.test(name))
    .toSorted();
  return names
    .map((name) => readFileSync(path.join(folder, name), "utf8").replaceAll("\r\n", "\n").trim())
    .join("\n\n");
}

type PackageFile = { name: string; version: string; license?: string; homepage?: string };

function section(folder: string): [name: string, text: string] {
  const about = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as PackageFile;
  const text =
    licenceText(folder) ||
    `Licensed under ${about.license ?? "an unnamed licence"}; the package carries no licence file.`;
  return [
    about.name,
    `${RULE}\n${about.name} ${about.version} (${about.license ?? "unknown"})\n${about.homepage ?? ""}\n\n${text}\n`,
  ];
}

/** lightweight-charts asks that this notice be shown; the package itself does not contain it. */
const TRADINGVIEW = `${RULE}\nTradingView Lightweight Charts™\nCopyright (c) 2025 TradingView, Inc. https://www.tradingview.com/\n`;

export function notices(): Plugin {
  return {
    name: "plan2-notices",
    apply: "build",
    generateBundle(_options, bundle) {
      const folders = new Set<string>();
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const id of chunk.moduleIds) {
          const folder = packageFolder(id);
          if (folder && existsSync(path.join(folder, "package.json"))) folders.add(folder);
        }
      }
      const sections = [...folders].map(section).toSorted(([a], [b]) => (a < b ? -1 : 1));
      const source = `The web app of Plan2 contains the following software.\n\n${TRADINGVIEW}\n${sections.map(([, text]) => text).join("\n")}`;
      this.emitFile({ type: "asset", fileName: "THIRD_PARTY_NOTICES.txt", source });
    },
  };
}
