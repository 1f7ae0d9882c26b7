/** Indonesian: language models. */

import type { Translated } from "../index";
import type { assistants as english } from "../assistants";

export const assistants = {
  "explain.button": "Jelaskan dengan bahasa sederhana",
  "explain.asking": "Bertanya …",
  "explain.generated": "Dibuat oleh {provider} {model}. Angka disalin dari catatan.",
  "explain.own": "Kalimat Plan2 sendiri.",
  "report.button": "Laporan hari ini",
  "settings.off": "Asisten dimatikan",
  "settings.off_hint":
    "Operator menyebutkan penyedia di assistants.order; sebelum itu tidak ada yang dikirim.",
  "settings.order": "Ditanya menurut urutan ini",
  "settings.resting": "tidak ditanya selama satu menit",
  "settings.tokens": "Token hari ini",
  "settings.cost": "Biaya hari ini",
  "settings.of": "{used} dari {allowed}",
  "settings.consent": "Persetujuan Anda",
  "settings.agreed": "diberikan",
  "settings.missing": "belum ada: setujui “Assistants” di bagian Privasi",
  "settings.news": "Berita terhadap order masuk",
  "settings.news_on": "boleh memperkecil atau memveto, tidak pernah membuka atau memperbesar",
  "settings.news_off": "hanya ditampilkan",
} as const satisfies Translated<typeof english>;
