"""Indonesian: what people are told of events, and in digests."""

from typing import Final

WORDS: Final = {
    "1 message": "1 pesan",
    "{count} messages": "{count} pesan",
    "{count} earlier messages are left out.": "{count} pesan sebelumnya tidak ditampilkan.",
    # --- positions and orders
    "{what} opened": "{what} dibuka",
    "{lots} lots at {price}, stop {stop}.": "{lots} lot pada {price}, stop {stop}.",
    "{lots} lots at {price}, without a stop.": "{lots} lot pada {price}, tanpa stop.",
    "{lots} lots at {price}.": "{lots} lot pada {price}.",
    "Plan2 did not open it and leaves it alone.": "Bukan Plan2 yang membukanya; dibiarkan saja.",
    "{what} closed, {money}": "{what} ditutup, {money}",
    "{lots} lots from {begin} to {end}: {money} net.": (
        "{lots} lot dari {begin} ke {end}: {money} bersih."
    ),
    "Reason: {reason}.": "Alasan: {reason}.",
    "{what} executed": "{what} dieksekusi",
    "{symbol}: no order": "{symbol}: tidak ada order",
    "The risk gate refused it by the rule {rule}: {value}, allowed {limit}.": (
        "Gerbang risiko menolaknya menurut aturan {rule}: {value}, yang boleh {limit}."
    ),
    "{symbol}: order rejected": "{symbol}: order ditolak",
    "The broker refused the order: {reason}": "Broker menolak order: {reason}",
    "{symbol}: outcome unknown": "{symbol}: hasil tidak diketahui",
    "It is not known whether the order exists; {symbol} is blocked until the broker's books tell. "
    "{reason}": (
        "Tidak diketahui apakah order itu ada; {symbol} diblokir sampai pembukuan broker "
        "menjawabnya. {reason}"
    ),
    "The books differ from the broker's": "Pembukuan berbeda dari milik broker",
    "Account {account}, {kind}: ours {ours}, the broker's {theirs}. {action}": (
        "Akun {account}, {kind}: milik kita {ours}, milik broker {theirs}. {action}"
    ),
    # --- trading, limits, kill
    "Trading is armed": "Trading aktif",
    "Trading is paused": "Trading dijeda",
    "Only exits go through": "Hanya posisi keluar yang diteruskan",
    "Trading is halted": "Trading dihentikan",
    "Account {account}, by {who}.": "Akun {account}, oleh {who}.",
    "Account {account}.": "Akun {account}.",
    "Kill switch used": "Tombol darurat dipakai",
    "Account {account}, by {who}: trading halts, orders are withdrawn, positions are closed. "
    "{reason}": (
        "Akun {account}, oleh {who}: trading berhenti, order ditarik, posisi ditutup. {reason}"
    ),
    "Account {account}: {orders} orders withdrawn, {positions} positions closed.": (
        "Akun {account}: {orders} order ditarik, {positions} posisi ditutup."
    ),
    "Kill finished: all is flat": "Tombol darurat selesai: semua sudah tertutup",
    "Kill is not finished": "Tombol darurat belum selesai",
    "Left alone: {what}.": "Dibiarkan: {what}.",
    "Still open: {what}.": "Masih terbuka: {what}.",
    "the terminal does not tell": "terminal tidak memberi tahu",
    "A loss limit comes near": "Batas rugi mendekat",
    "{rule} of account {account}: {value} of {limit} ({share} % of the limit). Trading goes on.": (
        "{rule} akun {account}: {value} dari {limit} ({share} % dari batas). Trading berlanjut."
    ),
    "A loss limit was reached": "Batas rugi tercapai",
    "{rule} of account {account}: {value}, limit {limit}. {action}": (
        "{rule} akun {account}: {value}, batas {limit}. {action}"
    ),
    "The broker is connected again": "Broker tersambung lagi",
    "The broker's link is {state}": "Sambungan ke broker: {state}",
    # --- Plan2 itself
    "{part} is {status}": "{part}: {status}",
    "{part} is well": "{part} baik kembali",
    "No detail was given.": "Tidak ada keterangan.",
    "{symbol}: new champion": "{symbol}: juara baru",
    "{candidate} serves {symbol}. {who}: {reason}": (
        "{candidate} melayani {symbol}. {who}: {reason}"
    ),
    "{symbol}: models rolled back": "{symbol}: model dikembalikan",
    "{candidate} serves {symbol} again. {who}: {reason}": (
        "{candidate} melayani {symbol} lagi. {who}: {reason}"
    ),
    "{symbol}: models withdrawn": "{symbol}: model ditarik",
    "Nobody serves {symbol} any more. {who}: {reason}": (
        "Tidak ada lagi yang melayani {symbol}. {who}: {reason}"
    ),
    "Retraining of {slot} asked for": "Pelatihan ulang {slot} diminta",
    "{cause}, {count} new labels.": "{cause}, {count} label baru.",
    "{kind} is done": "{kind} selesai",
    "It ended after {took}.": "Berakhir setelah {took}.",
    "It {state} after {took}.": "Status {state} setelah {took}.",
    "A second person is needed": "Perlu orang kedua",
    "{summary} Asked for by {who}.": "{summary} Diminta oleh {who}.",
    "Somebody signed in as you": "Seseorang masuk sebagai Anda",
    "If it was not you, end the session under Settings and change your password.": (
        "Bila bukan Anda, akhiri sesinya di Pengaturan dan ganti kata sandi Anda."
    ),
    "A way to sign in as you was changed": "Cara masuk sebagai Anda diubah",
    "{what}: {change}. If it was not you, tell your administrator.": (
        "{what}: {change}. Bila bukan Anda, beri tahu administrator Anda."
    ),
    "Plan2 started": "Plan2 dimulai",
    "Version {version}, {mode}.": "Versi {version}, {mode}.",
    "Plan2 stopped": "Plan2 berhenti",
    # --- kinds of messages
    "Positions opened": "Posisi dibuka",
    "Positions closed": "Posisi ditutup",
    "Orders executed": "Order dieksekusi",
    "Orders that the risk gate refused": "Order yang ditolak gerbang risiko",
    "Orders that the broker refused": "Order yang ditolak broker",
    "Orders with an unknown outcome": "Order yang hasilnya tidak diketahui",
    "Trading halted": "Trading dihentikan",
    "Trading paused, resumed, or exits only": "Trading dijeda, dilanjutkan, atau hanya keluar",
    "Kill switch": "Sakelar kill",
    "Loss limits that come near": "Batas rugi yang mendekat",
    "Loss limits that were reached": "Batas rugi yang tercapai",
    "Connection to the broker": "Koneksi ke broker",
    "Parts of Plan2 that failed or came back": "Bagian Plan2 yang gagal atau pulih",
    "Differences from the broker's books": "Selisih dari pembukuan broker",
    "Models promoted, rolled back, withdrawn": "Model dinaikkan, dikembalikan, ditarik",
    "Retraining asked for": "Pelatihan ulang diminta",
    "Training and other long work finished": "Pelatihan dan pekerjaan panjang lain selesai",
    "Something waits for a second person": "Sesuatu menunggu orang kedua",
    "Plan2 started or stopped": "Plan2 mulai atau berhenti",
    "Alerts of your own rules": "Alarm dari aturan Anda sendiri",
    "Several messages in one": "Beberapa pesan dalam satu",
}
