"""Indonesian: what the bot answers."""

from typing import Final

WORDS: Final = {
    # --- figures and tables
    "d": "hr",
    "h": "jam",
    "min": "mnt",
    "s": "dtk",
    "lots": "lot",
    "{quantity} lots": "{quantity} lot",
    "symbol": "simbol",
    "side": "arah",
    "since": "sejak",
    "limit": "batas",
    "used": "terpakai",
    "of": "dari",
    "share": "bagian",
    "from": "dari",
    "net": "bersih",
    "closed": "ditutup",
    "won": "untung",
    "even": "impas",
    "lost": "rugi",
    "reason": "alasan",
    "kind": "jenis",
    "comes": "datang",
    "stage": "tahap",
    "none": "tidak ada",
    "failed": "gagal",
    "nowhere": "tidak ke mana pun",
    "Balance": "Saldo",
    "Equity": "Ekuitas",
    "Entry": "Masuk",
    "Exit": "Keluar",
    "time zone {zone}": "zona waktu {zone}",
    # --- trading now
    "Trading is armed.": "Trading aktif.",
    "Trading is paused: nothing new is opened, open positions are managed.": (
        "Trading dijeda: tidak ada posisi baru, posisi terbuka tetap dikelola."
    ),
    "Only exits go through.": "Hanya posisi keluar yang diteruskan.",
    "Trading is halted: nothing is opened, exits go through.": (
        "Trading dihentikan: tidak ada yang dibuka, posisi keluar diteruskan."
    ),
    "Loss of the day": "Rugi hari ini",
    "Loss of the week": "Rugi minggu ini",
    "Fall from the peak": "Turun dari puncak",
    "Exposure, in equities": "Eksposur, kali ekuitas",
    "No position is open.": "Tidak ada posisi terbuka.",
    "There is no position yet.": "Belum ada posisi.",
    "There is no position with the id {id}.": "Tidak ada posisi dengan id {id}.",
    "There are {count} positions with the id {id}.": "Ada {count} posisi dengan id {id}.",
    "/status shows the open ones.": "/status menampilkan yang terbuka.",
    "{count} of {most}": "{count} dari {most}",
    "Open positions: ": "Posisi terbuka: ",
    " floating": " mengambang",
    " realised": " terealisasi",
    "Opened at {price}, {at}, {span} ago": "Dibuka pada {price}, {at}, {span} yang lalu",
    "Opened at {price}, {at}, {span} long": "Dibuka pada {price}, {at}, selama {span}",
    "Stop {stop}, target {target}": "Stop {stop}, target {target}",
    "Closed at {price}: {reason}": "Ditutup pada {price}: {reason}",
    "Not managed by Plan2.": "Tidak dikelola Plan2.",
    "Id ": "Id ",
    "Position ": "Posisi ",
    "Decision ": "Keputusan ",
    "Order {side} {lots}: {state}": "Order {side} {lots}: {state}",
    "Risk": "Risiko",
    "A kill is under way: it is not shown flat yet.": (
        "Tombol darurat sedang bekerja: belum terlihat tertutup semua."
    ),
    "It cannot be resumed yet: {why}": "Belum dapat dilanjutkan: {why}",
    "No decision was recorded yet.": "Belum ada keputusan yang tercatat.",
    "No sentence was recorded.": "Tidak ada kalimat yang tercatat.",
    "low impact": "dampak rendah",
    "medium impact": "dampak sedang",
    "high impact": "dampak tinggi",
    "{at}: {name} ({currency}, {impact}). Models enter nothing from {before} minutes before "
    "until {after} after.": (
        "{at}: {name} ({currency}, {impact}). Model tidak membuka apa pun dari {before} menit "
        "sebelum sampai {after} menit sesudahnya."
    ),
    "{id} is no id of a decision or a position.": "{id} bukan id keputusan atau posisi.",
    "No order is open.": "Tidak ada order terbuka.",
    "Open orders": "Order terbuka",
    "{count} symbols are watched": "{count} simbol diawasi",
    "Every setting has its built-in value.": "Semua pengaturan memakai nilai bawaannya.",
    "What was set; the rest is built in": "Yang diatur; selebihnya bawaan",
    # --- money
    "Profit of all time": "Laba sepanjang waktu",
    "Profit of the last {days} days": "Laba {days} hari terakhir",
    "Nothing was closed in this time.": "Tidak ada yang ditutup dalam waktu ini.",
    "No position was closed yet.": "Belum ada posisi yang ditutup.",
    "Best: ": "Terbaik: ",
    "Worst: ": "Terburuk: ",
    "First closed: ": "Pertama ditutup: ",
    "Today so far, open positions too: ": "Hari ini sejauh ini, termasuk posisi terbuka: ",
    "Net: ": "Bersih: ",
    "Closed positions: {count}, {wins} won, {losses} lost ({share} won)": (
        "Posisi ditutup: {count}, {wins} untung, {losses} rugi ({share} untung)"
    ),
    "Profit factor: ": "Faktor laba: ",
    "no loss yet": "belum ada rugi",
    "Commission and swap: ": "Komisi dan swap: ",
    "Account {name}": "Akun {name}",
    "Balance: ": "Saldo: ",
    "Equity: ": "Ekuitas: ",
    "Margin: ": "Margin: ",
    "Today: ": "Hari ini: ",
    "Below its peak: ": "Di bawah puncaknya: ",
    "The last {count} days": "{count} hari terakhir",
    "The last {count} weeks": "{count} minggu terakhir",
    "The last {count} months": "{count} bulan terakhir",
    "Together: ": "Seluruhnya: ",
    " from {count} closed positions": " dari {count} posisi yang ditutup",
    "Performance by symbol": "Kinerja per simbol",
    "Performance by exit": "Kinerja per alasan keluar",
    "How positions ended": "Bagaimana posisi berakhir",
    "Held on average, won: ": "Rata-rata dipegang, untung: ",
    "Held on average, lost: ": "Rata-rata dipegang, rugi: ",
    "Flows": "Alur",
    "without a flow": "tanpa alur",
    "{name}: {count} open": "{name}: {count} terbuka",
    "The last {count} closed positions": "{count} posisi terakhir yang ditutup",
    "no reason given": "tanpa alasan",
    "There are too few records of equity for a picture yet.": (
        "Catatan ekuitas masih terlalu sedikit untuk sebuah gambar."
    ),
    "Equity from {begin} to {end}: {money}": "Ekuitas dari {begin} sampai {end}: {money}",
    # --- Plan2
    "Plan2: {status}": "Plan2: {status}",
    ", {count} parts.": ", {count} bagian.",
    "Loop {late} ms late (p99), {count} screens.": "Loop terlambat {late} ms (p99), {count} layar.",
    "The last {count} events": "{count} peristiwa terakhir",
    "{type} of {stream}, by {who}": "{type} dari {stream}, oleh {who}",
    "Market: {mode}, account {account} ({currency}), tenant {tenant}": (
        "Pasar: {mode}, akun {account} ({currency}), penyewa {tenant}"
    ),
    "Runs since {begin} ({span})": "Berjalan sejak {begin} ({span})",
    "Models": "Model",
    "No model was trained yet.": "Belum ada model yang dilatih.",
    "since {begin} ": "sejak {begin} ",
    "Long work": "Pekerjaan panjang",
    "No training or other long work was asked for yet.": (
        "Belum ada pelatihan atau pekerjaan panjang lain yang diminta."
    ),
    "Backtests": "Backtest",
    "No backtest was asked for yet.": "Belum ada backtest yang diminta.",
    "The picture could not be made.": "Gambar tidak dapat dibuat.",
    # --- alerts and messages
    "No alert waits.": "Tidak ada alarm yang menunggu.",
    "No alert {id} waits.": "Tidak ada alarm {id} yang menunggu.",
    "How messages come to you: /messages.": "Cara pesan datang kepada Anda: /messages.",
    "1 open alert": "1 alarm terbuka",
    "{count} open alerts": "{count} alarm terbuka",
    ", the newest of {count}": ", yang terbaru dari {count}",
    "Acknowledge": "Tanggapi",
    "Acknowledge these {count}": "Tanggapi {count} ini",
    "Acknowledged.": "Sudah ditanggapi.",
    "Acknowledged: ": "Sudah ditanggapi: ",
    "/ack needs the id of an alert, or all.": "/ack memerlukan id alarm, atau all.",
    "/alerts shows the ids.": "/alerts menampilkan id-nya.",
    "How messages come to you now": "Cara pesan datang kepada Anda sekarang",
    "{begin} to {end}, {zone}": "{begin} sampai {end}, {zone}",
    "Quiet hours: ": "Jam tenang: ",
    "Digest: ": "Ringkasan: ",
    "Change it with /loud, /quiet, /digest and /language.": (
        "Ubah dengan /loud, /quiet, /digest, dan /language."
    ),
    "All messages": "Semua pesan",
    "{what}: they come with a sound.": "{what}: datang dengan suara.",
    "{what}: they come without a sound.": "{what}: datang tanpa suara.",
    "{what}: they do not come any more.": "{what}: tidak datang lagi.",
    "There is no kind of message {kind}.": "Tidak ada jenis pesan {kind}.",
    "A kind is missing.": "Jenisnya belum disebut.",
    "One of all, {names}.": "Salah satu dari all, {names}.",
    "/digest needs one of the words off, hourly, daily.": (
        "/digest memerlukan salah satu kata off, hourly, daily."
    ),
    "Every message comes by itself.": "Setiap pesan datang sendiri.",
    "What only informs comes hourly in one message; the rest at once.": (
        "Yang hanya memberi kabar datang setiap jam dalam satu pesan; yang lain seketika."
    ),
    "What only informs comes daily in one message; the rest at once.": (
        "Yang hanya memberi kabar datang setiap hari dalam satu pesan; yang lain seketika."
    ),
    "/language needs one of the words {names}.": "/language memerlukan salah satu kata {names}.",
    "From now on Plan2 speaks English with you.": (
        "Mulai sekarang Plan2 berbahasa Indonesia dengan Anda."
    ),
}
