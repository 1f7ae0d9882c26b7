/** Indonesian: language, installation, connection of the app itself. */

import type { Translated } from "../index";
import type { app as english } from "../app";

export const app = {
  "prefs.language": "Bahasa",
  "prefs.language_failed": "Bahasa ini tidak dapat dimuat; halaman tetap seperti semula.",
  "prefs.system": "Sistem",
  "unit.min": "mnt",
  "unit.h": "j",
  "unit.d": "h",
  "unit.full_speed": "kecepatan penuh",
  "page.risk": "Risiko",
  "page.help": "Bantuan",
  "past.mode": "Perjalanan waktu",
  "past.badge": "PUTAR ULANG",
  "past.as_of": "Semuanya per {time}.",
  "past.until_event": "Disusun dari peristiwa sampai #{position}.",
  "past.limits":
    "Akun, posisi, order yang menunggu, keputusan, dan peristiwa adalah milik saat itu; selebihnya menunjukkan sekarang. Perintah dimatikan.",
  "past.minute_back": "−1 mnt",
  "past.minute_on": "+1 mnt",
  "past.play": "Jalankan",
  "past.pause": "Jeda",
  "past.leave": "Kembali ke sekarang",
  "past.blocked": "Anda melihat masa lalu: perintah dimatikan sampai Anda kembali ke sekarang.",
  "past.go": "Tampilkan seluruh aplikasi per saat itu",
  "shortcuts.past": "Dalam perjalanan waktu: semenit mundur / maju; Esc kembali",
  "table.filter": "Saring",
  "ticket.checks": "Kata pemeriksaan risiko sekarang",
  "ticket.checks_pass": "Semua {count} pemeriksaan lolos.",
  "ticket.checks_fail": "{count} dari {all} pemeriksaan menolak.",
  "ticket.checks_all": "Setiap pemeriksaan dengan angkanya",
  "decision.if": "Yang akan mengubahnya",
  "decision.if_check": "Lolos “{rule}” pada {limit}; yang terlihat {value}.",
  "decision.if_edge_p": "Layak mulai dari peluang pesimistis {needed}; nyatanya {had}.",
  "decision.if_edge_cost": "Atau dengan biaya paling banyak {needed} per unit; nyatanya {had}.",
} as const satisfies Translated<typeof english>;
