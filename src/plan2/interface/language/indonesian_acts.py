"""Indonesian: what the bot asks before it acts, and what came of it."""

from typing import Final

WORDS: Final = {
    "No": "Tidak",
    "Not done.": "Tidak dilakukan.",
    "Not done: ": "Tidak dilakukan: ",
    "{done} of {count} were done.": "{done} dari {count} dilakukan.",
    "status {status}": "status {status}",
    "This question ends in a minute.": "Pertanyaan ini berakhir dalam satu menit.",
    "This is over. Ask again.": "Ini sudah lewat. Minta lagi.",
    "Prove that it is you: send the code of your authenticator within a minute. "
    "Without one, do it in the web app.": (
        "Buktikan bahwa ini Anda: kirim kode autentikator Anda dalam satu menit. Tanpa "
        "autentikator, lakukan di aplikasi web."
    ),
    "This is not the code of this half minute. Ask again.": (
        "Ini bukan kode untuk setengah menit ini. Minta lagi."
    ),
    "Too many codes were wrong. Wait a while, then ask again.": (
        "Terlalu banyak kode salah. Tunggu sebentar, lalu minta lagi."
    ),
    "Stop trading?": "Hentikan trading?",
    "Stop trading": "Hentikan trading",
    "Nothing is opened any more until somebody resumes. {count} open positions stay open with "
    "their stops; exits go through.": (
        "Tidak ada lagi yang dibuka sampai seseorang melanjutkan. {count} posisi terbuka tetap "
        "terbuka dengan stop-nya; posisi keluar diteruskan."
    ),
    "Trading is halted.": "Trading dihentikan.",
    "Resume trading?": "Lanjutkan trading?",
    "Resume trading": "Lanjutkan trading",
    "Plan2 may open positions again.": "Plan2 boleh membuka posisi lagi.",
    "Trading is armed already.": "Trading sudah aktif.",
    "{account} cannot be resumed yet: {why}": "{account} belum dapat dilanjutkan: {why}",
    "Put that right first; /risk shows how it stands.": (
        "Bereskan itu dulu; /risk menampilkan keadaannya."
    ),
    "This account is {mode}: it holds somebody's money.": (
        "Akun ini {mode}: berisi uang seseorang."
    ),
    "Use the kill switch?": "Pakai tombol darurat?",
    "Kill: halt and close all": "Darurat: hentikan dan tutup semua",
    "Trading halts. {orders} orders that are under way or working are withdrawn, {positions} "
    "positions are closed at market.": (
        "Trading berhenti. {orders} order yang berjalan atau menunggu ditarik, {positions} posisi "
        "ditutup di harga pasar."
    ),
    "Orders and positions that Plan2 did not make are left alone.": (
        "Order dan posisi yang bukan buatan Plan2 dibiarkan."
    ),
    "The kill is under way; you are told when all is flat.": (
        "Tombol darurat sedang bekerja; Anda diberi tahu bila semua sudah tertutup."
    ),
    "/forceexit needs an id or the word all.": "/forceexit memerlukan id atau kata all.",
    "/status shows the ids.": "/status menampilkan id-nya.",
    "No position that Plan2 manages is open.": "Tidak ada posisi terbuka yang dikelola Plan2.",
    "Close this position at market?": "Tutup posisi ini di harga pasar?",
    "Close these {count} positions at market?": "Tutup {count} posisi ini di harga pasar?",
    "Close {count}": "Tutup {count}",
    "The orders are sent.": "Order sudah dikirim.",
    " from {price}, ": " dari {price}, ",
    "… and {count} more": "… dan {count} lagi",
    "/coo needs the id of an order.": "/coo memerlukan id order.",
    "/orders shows the ids.": "/orders menampilkan id-nya.",
    "{count} open orders have an id that begins so.": (
        "{count} order terbuka memiliki id yang berawalan begitu."
    ),
    "Withdraw this order?": "Tarik order ini?",
    "Withdraw": "Tarik",
    "The broker is asked to withdraw it.": "Broker diminta menariknya.",
    "Nothing waits for a second person.": "Tidak ada yang menunggu orang kedua.",
    "Waiting for a second person": "Menunggu orang kedua",
    "until {at} ": "sampai {at} ",
    "You cannot decide it: {why}": "Anda tidak dapat memutuskannya: {why}",
    "The id of a proposal is missing.": "Id usulan belum disebut.",
    "/approvals shows the ids.": "/approvals menampilkan id-nya.",
    "{count} open proposals have an id that begins so.": (
        "{count} usulan terbuka memiliki id yang berawalan begitu."
    ),
    "Agree": "Setuju",
    "Refuse": "Tolak",
    "Asked for: {reason}": "Diminta karena: {reason}",
    "It is decided.": "Sudah diputuskan.",
    "/promote needs a candidate's id.": "/promote memerlukan id kandidat.",
    "/models shows the ids.": "/models menampilkan id-nya.",
    "{count} candidates have an id that begins with {id}.": (
        "{count} kandidat memiliki id yang berawalan {id}."
    ),
    "From {state} a candidate goes to {ways}.": "Dari {state} kandidat menuju {ways}.",
    "Move this candidate?": "Majukan kandidat ini?",
    "Move to {state}": "Ke {state}",
    "The candidate is {state}.": "Kandidat kini {state}.",
    "/rollback needs a symbol.": "/rollback memerlukan simbol.",
    "Such as /rollback EURUSD.": "Misalnya /rollback EURUSD.",
    "Roll {symbol} back?": "Kembalikan {symbol}?",
    "Roll {symbol} back": "Kembalikan {symbol}",
    "Its last good models serve again, within a second.": (
        "Model terakhirnya yang baik melayani lagi, dalam satu detik."
    ),
    "The last good models of {symbol} serve again.": (
        "Model terakhir {symbol} yang baik melayani lagi."
    ),
    "Unpair this chat?": "Putuskan obrolan ini?",
    "Unpair": "Putuskan",
    "It hears nothing more and may do nothing more, until you pair it again.": (
        "Obrolan ini tidak menerima dan tidak boleh melakukan apa pun lagi, sampai Anda "
        "menautkannya lagi."
    ),
    "This chat is unpaired.": "Obrolan ini sudah diputuskan.",
    # --- the chat itself
    "This chat is paired with ": "Obrolan ini tertaut dengan ",
    "This chat is paired anew. /help lists the commands.": (
        "Obrolan ini ditautkan ulang. /help menampilkan perintahnya."
    ),
    "Messages do not come yet: agree to them under Settings, Telegram.": (
        "Pesan belum datang: setujui di Pengaturan, Telegram."
    ),
    "I do not understand that. /help lists the commands.": (
        "Saya tidak mengerti itu. /help menampilkan perintahnya."
    ),
    "Your role {role} may not use /{name}.": "Peran Anda {role} tidak boleh memakai /{name}.",
    "This message came late and was not carried out. Send it again if you still want it.": (
        "Pesan ini datang terlambat dan tidak dijalankan. Kirim lagi bila masih Anda inginkan."
    ),
    "That is too much at once. Wait a minute.": "Itu terlalu banyak sekaligus. Tunggu semenit.",
    "{word} is no number from 1 to {most}.": "{word} bukan angka dari 1 sampai {most}.",
}
