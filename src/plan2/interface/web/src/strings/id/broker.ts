/** Indonesian: the broker section of the settings. */

import type { broker as english } from "../broker";
import type { Translated } from "../index";

export const broker = {
  "broker.title": "Akun di broker Anda sendiri",
  "broker.state.none": "Hanya simulasi",
  "broker.state.waiting": "Menunggu terminalnya",
  "broker.state.open": "Bertransaksi di brokernya",
  "broker.state.closing": "Sedang ditutup",
  "broker.state.failed": "Tidak dapat dibuka",
  "broker.none_hint":
    "Tenant Anda berdagang dengan uang simulasi. Bila diikat ke akun MetaTrader 5 Anda sendiri, ordernya dikirim ke sana dengan kuotasi broker itu. Kata sandi akun tetap di terminal Anda.",
  "broker.waiting_hint":
    "Buat kunci di bawah dan berikan ke `plan2 terminal` di mesin dengan MetaTrader 5. Sampai terminal itu tersambung sekali, tenant Anda tetap memakai simulasi.",
  "broker.account": "Akun",
  "broker.login": "Login",
  "broker.server": "Server dagang",
  "broker.mode": "Uang siapa",
  "broker.mode.demo": "Demo",
  "broker.mode.contest": "Kontes",
  "broker.mode.real": "Uang sungguhan",
  "broker.link": "Terminal",
  "broker.open": "Terbuka di sana",
  "broker.open_count": "{positions} posisi, {orders} order",
  "broker.bind": "Ikat akun",
  "broker.bind_explain":
    "Sejak sambungan pertamanya tenant Anda hanya memperdagangkan akun ini. Akun mulai dalam keadaan tidak aktif. Terminal dengan akun lain ditolak.",
  "broker.second":
    "Di sini dua orang yang memutuskan: ini diusulkan, lalu administrator lain menyetujuinya di Persetujuan.",
  "broker.name": "Nama di Plan2",
  "broker.name_hint": "a–z dan 0–9, tidak pernah dipakai untuk dua akun.",
  "broker.bound": "Akun telah diikat.",
  "broker.proposed": "Menunggu orang kedua di Persetujuan.",
  "broker.unbind": "Lepaskan",
  "broker.unbind_explain":
    "Hanya bila tidak ada yang terbuka di sana. Setelah itu tenant Anda memakai simulasi, dan tidak ada terminal yang diizinkan masuk.",
  "broker.unbound": "Akun telah dilepaskan.",
  "broker.symbols": "Kuotasi Anda di samping kuotasi pasar",
  "broker.symbol": "Simbol",
  "broker.bid": "Bid",
  "broker.ask": "Ask",
  "broker.age": "Umur, ms",
  "broker.gap": "Selisih, spread",
  "broker.terms": "Ketentuan",
  "broker.same": "Sama",
  "broker.no_symbols": "Tidak ada simbol yang dimiliki kedua broker",
  "broker.keys": "Kunci terminalnya",
  "broker.no_keys": "Belum ada terminal yang dapat masuk",
  "broker.key": "Kunci",
  "broker.label": "Label",
  "broker.since": "Dibuat",
  "broker.ended": "Dicabut",
  "broker.new_key": "Buat kunci",
  "broker.key_explain":
    "Siapa pun yang memegangnya dapat menjadi terminal akun ini. Untuk mengganti kunci, buat yang baru, mulai ulang terminal dengan kunci itu, lalu cabut yang lama.",
  "broker.once": "Kunci, hanya ditampilkan sekarang",
  "broker.once_hint": "Simpan dalam berkas dan berikan ke `plan2 terminal`.",
  "broker.revoke": "Cabut",
  "broker.revoke_explain": "Terminal yang memakainya diputus dalam dua detik.",
  "broker.revoked": "Kunci telah dicabut.",
} as const satisfies Translated<typeof english>;
