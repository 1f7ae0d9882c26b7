/** Indonesian: the Telegram section of the settings. */

import type { Translated } from "../index";
import type { telegram as english } from "../telegram";

export const telegram = {
  "telegram.title": "Telegram",
  "telegram.on": "Bot @{bot} berjalan",
  "telegram.trouble": "Bot bermasalah",
  "telegram.off": "Telegram dimatikan di sini",
  "telegram.off_hint":
    "Operator membuat bot dengan BotFather, mengisi telegram.enabled dan token bot, lalu menjalankan ulang Plan2.",
  "telegram.explain":
    "Obrolan yang tertaut melihat dan melakukan apa yang boleh dilakukan peran Anda, tidak lebih. Tindakan berbahaya ditanyakan sekali lagi dengan tombol. Semuanya tercatat di jejak audit.",
  "telegram.pair": "Tautkan obrolan",
  "telegram.pair_explain":
    "Anda mendapat kode yang berlaku sekali dan selama sepuluh menit. Obrolan pertama yang mengirimkannya ke bot menjadi milik Anda.",
  "telegram.show": "Tampilkan kode",
  "telegram.scan": "Pindai ini dengan ponsel Anda, atau buka tautannya, lalu tekan Start.",
  "telegram.qr": "Gambar tautan yang menautkan obrolan",
  "telegram.open": "Buka Telegram",
  "telegram.by_hand": "Atau kirim ke bot:",
  "telegram.until": "Berlaku sampai",
  "telegram.done": "Selesai",
  "telegram.test": "Kirim pesan uji coba",
  "telegram.test_sent": "Pesan sedang dikirim.",
  "telegram.test_none":
    "Tidak ada pesan yang keluar: tautkan obrolan, setujui pesan, dan izinkan alarm.",
  "telegram.agree": "Anda belum menyetujui pesan: hidupkan “Notifications” di bagian Privasi.",
  "telegram.privacy": "Ke Privasi",
  "telegram.chats": "Obrolan yang tertaut",
  "telegram.none": "Tidak ada obrolan yang tertaut",
  "telegram.none_hint": "Tautkan satu untuk melihat dan bertindak dari ponsel Anda.",
  "telegram.label": "Nama di sana",
  "telegram.person": "Orang",
  "telegram.since": "Sejak",
  "telegram.unpair": "Putuskan",
  "telegram.unpair_explain":
    "Seketika obrolan ini tidak menerima apa pun lagi dan tidak boleh melakukan apa pun lagi.",
  "telegram.unpaired": "Obrolan diputuskan.",
  "telegram.own": "Milik saya",
  "telegram.everyones": "Milik semua",
  "telegram.whose": "Obrolan milik siapa",
  "telegram.kinds": "Cara pesan datang",
  "telegram.kind": "Pesan",
  "telegram.comes": "Datang sendiri",
  "telegram.loudness.on": "dengan suara",
  "telegram.loudness.silent": "tanpa suara",
  "telegram.loudness.off": "tidak sama sekali",
  "telegram.kinds_hint":
    "Ubah dengan /loud, /quiet, dan /digest di obrolan, atau di bagian Batas dan pengaturan dengan kunci notify.loudness dan notify.digest. Jam tenang adalah ui.quiet_from dan ui.quiet_until.",
} as const satisfies Translated<typeof english>;
