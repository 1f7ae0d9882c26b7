/** Indonesian: one-click trading. */

import type { Translated } from "../index";
import type { oneClick as english } from "../oneClick";

export const oneClick = {
  "one.title": "Trading satu klik",
  "one.explain":
    "Mati. Saat menyala, satu klik langsung membeli, menjual, atau menutup; pemeriksaan risiko tetap berlaku. Hanya di jendela ini, 15 menit tanpa dipakai.",
  "one.arm": "Tahan untuk menyalakan",
  "one.disarm": "Matikan",
  "one.until": "Tanpa dipakai berakhir pukul",
  "one.points": "Stop-loss, jarak poin",
  "one.act": "{side} {lots} pada {price}",
  "one.fails": "Akan ditolak: {rule}",
  "one.close": "Tutup sekarang",
  "one.reason": "satu klik",
} as const satisfies Translated<typeof english>;
