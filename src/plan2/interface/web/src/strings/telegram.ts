/** English: the Telegram section of the settings; loaded with that page. */

import { labels, texts } from "./index";

export const telegram = {
  "telegram.title": "Telegram",
  "telegram.on": "The bot @{bot} is up",
  "telegram.trouble": "The bot has trouble",
  "telegram.off": "Telegram is switched off here",
  "telegram.off_hint":
    "An operator makes a bot with BotFather, keeps its token here, sets telegram.enabled and starts Plan2 again.",
  "telegram.explain":
    "A paired chat sees and does what your role may, nothing more. Whatever is dangerous asks once more with a button. Everything stands in the audit trail.",
  "telegram.pair": "Pair a chat",
  "telegram.pair_explain":
    "You get a code that is good once and for ten minutes. The first chat that sends it to the bot is yours.",
  "telegram.show": "Show the code",
  "telegram.scan": "Scan this with your phone, or open the link, and press Start.",
  "telegram.qr": "Picture of the link that pairs a chat",
  "telegram.open": "Open Telegram",
  "telegram.by_hand": "Or send the bot:",
  "telegram.until": "Good until",
  "telegram.done": "Done",
  "telegram.test": "Send a test message",
  "telegram.test_sent": "The message is on its way.",
  "telegram.test_none":
    "No message goes out: pair a chat, agree to messages, and let alerts through.",
  "telegram.agree": "You have not agreed to messages yet: switch Notifications on under Privacy.",
  "telegram.privacy": "To Privacy",
  "token.title": "The bot's token",
  "token.source.none": "There is no token yet",
  "token.source.kept": "Kept sealed, and in use",
  "token.source.file": "From the file telegram.token_file",
  "token.source.environment": "From PLAN2_TELEGRAM_TOKEN",
  "token.both": "One is kept sealed as well; it is used once the other is gone.",
  "token.explain":
    "BotFather gives it. Kept here it lies sealed in the database, is never shown again, and the bot begins with it at once.",
  "token.keep": "Keep a token",
  "token.replace": "Keep another token",
  "token.forget": "Forget the token",
  "token.token": "Token",
  "token.hint": "Such as 123456789:AA…",
  "token.wrong": "A token is a number, a colon and at least 30 characters.",
  "token.keep_explain":
    "Whoever has the token speaks as the bot. It is sealed before it is stored; nobody can read it here.",
  "token.kept": "The token is kept.",
  "token.forget_explain": "Without another token the bot falls silent. Pairings stay.",
  "token.forgotten": "The token is gone.",
  "telegram.chats": "Paired chats",
  "telegram.none": "No chat is paired",
  "telegram.none_hint": "Pair one to look and act from your phone.",
  "telegram.label": "Called there",
  "telegram.person": "Person",
  "telegram.since": "Since",
  "telegram.unpair": "Unpair",
  "telegram.unpair_explain": "The chat hears nothing more and may do nothing more, at once.",
  "telegram.unpaired": "The chat is unpaired.",
  "telegram.own": "Mine",
  "telegram.everyones": "Everybody's",
  "telegram.whose": "Whose chats",
  "telegram.kinds": "How messages come",
  "telegram.kind": "Message",
  "telegram.comes": "Comes by itself",
  "telegram.loudness.on": "with a sound",
  "telegram.loudness.silent": "silently",
  "telegram.loudness.off": "not at all",
  "kind.open": "Positions opened",
  "kind.close": "Positions closed",
  "kind.fill": "Orders executed",
  "kind.denied": "Orders that the risk gate refused",
  "kind.rejected": "Orders that the broker refused",
  "kind.unknown": "Orders with an unknown outcome",
  "kind.halt": "Trading halted",
  "kind.trading": "Trading paused, resumed, or exits only",
  "kind.kill": "Kill switch",
  "kind.limit_neared": "Loss limits that come near",
  "kind.limit_breached": "Loss limits that were reached",
  "kind.link": "Connection to the broker",
  "kind.health": "Parts of Plan2 that failed or came back",
  "kind.books": "Differences from the broker's books",
  "kind.model": "Models promoted, rolled back, withdrawn",
  "kind.retraining": "Retraining asked for",
  "kind.job": "Training and other long work finished",
  "kind.approval": "Something waits for a second person",
  "kind.sign_in": "Somebody signed in as you",
  "kind.system": "Plan2 started or stopped",
  "kind.alert": "Alerts of your own rules",
  "kind.digest": "Several messages in one",
  "telegram.kinds_hint":
    "Change it with /loud, /quiet and /digest in the chat, or under Limits with the keys notify.loudness and notify.digest. Quiet hours are ui.quiet_from and ui.quiet_until. Its language: /language, or ui.language.",
} as const;

export type TelegramKey = keyof typeof telegram;
/** The text of a key of this section. */
export const tg = texts(telegram, "telegram");
/** A kind of message in words. */
export const tgLabel = labels(telegram, tg);
