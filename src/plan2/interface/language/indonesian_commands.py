"""Indonesian: what /help and the menu of the bot say of each command."""

from typing import Final

WORDS: Final = {
    "Trading now": "Trading sekarang",
    "Money": "Uang",
    "Acting": "Bertindak",
    "Plan2": "Plan2",
    "Yourself": "Anda sendiri",
    "Open positions": "Posisi terbuka",
    "How many positions are open, and may be": "Berapa posisi terbuka, dan berapa yang boleh",
    "Limits and switches": "Batas dan sakelar",
    "Why: the last decision, or one by its id or its position's": (
        "Mengapa: keputusan terakhir, atau satu menurut id-nya atau id posisinya"
    ),
    "A position over its bars, as a picture": "Posisi di atas batang harganya, sebagai gambar",
    "What your rules raised, with a button that acknowledges it": (
        "Alarm dari aturan Anda, dengan tombol untuk menanggapinya"
    ),
    "Acknowledge an alert: it escalates no more": "Tanggapi alarm: tidak dinaikkan lagi",
    "Orders that are under way or wait at the broker": (
        "Order yang sedang berjalan atau menunggu di broker"
    ),
    "The symbols that are watched": "Simbol yang diawasi",
    "What each flow holds and brought": "Isi dan hasil setiap alur",
    "What closed positions brought": "Hasil posisi yang ditutup",
    "Balance, equity, margin": "Saldo, ekuitas, margin",
    "Profit of each day": "Laba setiap hari",
    "Profit of each week": "Laba setiap minggu",
    "Profit of each month": "Laba setiap bulan",
    "Profit of each symbol": "Laba setiap simbol",
    "How positions ended and how long they were held": (
        "Bagaimana posisi berakhir dan berapa lama dipegang"
    ),
    "Profit of each reason of exits": "Laba setiap alasan keluar",
    "The positions that were closed last": "Posisi yang terakhir ditutup",
    "Balance and equity, as a picture": "Saldo dan ekuitas, sebagai gambar",
    "Open nothing new; open positions are managed on": (
        "Tidak membuka yang baru; posisi terbuka tetap dikelola"
    ),
    "Let only exits through": "Hanya meneruskan posisi keluar",
    "Open nothing until a person resumes": "Tidak membuka apa pun sampai seseorang melanjutkan",
    "The same as /halt, after a button": "Sama dengan /halt, setelah tombol",
    "Trade again, after a button": "Trading lagi, setelah tombol",
    "Close positions at market, after a button": "Tutup posisi di harga pasar, setelah tombol",
    "Withdraw an order, after a button": "Tarik order, setelah tombol",
    "Halt, withdraw orders, close positions, after a button": (
        "Hentikan, tarik order, tutup posisi, setelah tombol"
    ),
    "Move a candidate on, after a button": "Majukan kandidat, setelah tombol",
    "Let a symbol's last good models serve again, after a button": (
        "Pakai lagi model terakhir yang baik untuk satu simbol, setelah tombol"
    ),
    "What waits for a second person": "Yang menunggu orang kedua",
    "Agree as the second person, after a button and a code": (
        "Setujui sebagai orang kedua, setelah tombol dan kode"
    ),
    "Say no to a proposal, after a button and a code": "Tolak usulan, setelah tombol dan kode",
    "Candidates and champions": "Kandidat dan juara",
    "Training and other long work": "Pelatihan dan pekerjaan panjang lain",
    "How the backtests stand": "Keadaan backtest",
    "What is not well": "Yang sedang tidak baik",
    "The last events of the log": "Peristiwa terakhir di log",
    "Settings that somebody changed": "Pengaturan yang diubah seseorang",
    "What runs, since when": "Yang berjalan, sejak kapan",
    "How messages come to you": "Cara pesan datang kepada Anda",
    "Let a kind of message come with a sound": "Biarkan satu jenis pesan datang dengan suara",
    "Without a sound, or not at all": "Tanpa suara, atau tidak sama sekali",
    "Gather what only informs": "Kumpulkan yang hanya memberi kabar",
    "Which language Plan2 speaks with you": "Bahasa Plan2 dengan Anda",
    "Let this chat be nobody's again": "Lepaskan obrolan ini dari siapa pun",
    "This list": "Daftar ini",
}
