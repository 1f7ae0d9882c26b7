/** Indonesian: help and about. */

import type { Translated } from "../index";
import type { help as english } from "../help";

export const help = {
  "help.start": "Singkatnya",
  "help.start_1": "Pasar menunjukkan harga, prediksi model, dan keputusan yang dihasilkannya.",
  "help.start_2":
    "Keputusan menjelaskan mengapa sesuatu dieksekusi atau tidak: buka, baca kalimatnya, lalu suara model, perhitungan, dan setiap pemeriksaan dengan angkanya.",
  "help.start_3":
    "Risiko menunjukkan berapa banyak dari setiap batas yang terpakai. KILL di kanan atas menghentikan trading di setiap halaman; ia bertanya dahulu.",
  "help.start_5":
    "Alur memuat aturan Anda sendiri. Cobalah di Backtest, ujilah di Riset, lalu pindahkan ke paper; Alarm memberi tahu bila sesuatu memerlukan Anda.",
  "help.start_4":
    "Audit menyimpan semua yang terjadi. Perjalanan waktu di sana menampilkan aplikasi seperti pada suatu saat.",
  "help.words": "Kata-kata",
  "help.word_armed": "Aktif",
  "help.armed": "Plan2 boleh membuka posisi sendiri.",
  "help.word_paused": "Dijeda",
  "help.paused": "Tidak ada yang baru dibuka; yang terbuka tetap diurus.",
  "help.word_halted": "Dihentikan",
  "help.halted":
    "Tidak ada yang baru, dan order masuk yang menunggu ditarik; seseorang harus mengaktifkannya lagi.",
  "help.word_kill": "Kill",
  "help.kill": "Hentikan, tarik order, tutup posisi.",
  "help.word_r": "R",
  "help.r": "Hasil yang diukur dengan risiko yang diambil: 1 R adalah kerugian di stop-loss.",
  "help.word_edge": "Keunggulan (edge)",
  "help.edge": "Yang diharapkan dari satu trade setelah semua biaya, pada peluang yang pesimistis.",
  "help.word_champion": "Juara",
  "help.champion":
    "Model yang melayani sebuah simbol; penantang memprediksi di sampingnya dan tidak memutuskan.",
  "help.word_stale": "Usang",
  "help.stale":
    "Angka yang lebih tua dari lima detik: warnanya pudar, dan di sini tidak ada yang dapat dibuka.",
  "help.more": "Selengkapnya",
  "help.guide":
    "docs/user-guide.md menuntun sepanjang hari seorang trader; docs/cli.md menyebut setiap perintah.",
} as const satisfies Translated<typeof english>;
