/** English: the broker section of the settings; loaded with that page. */

import { labels, texts } from "./index";

export const broker = {
  "broker.title": "Account at your own broker",
  "broker.state.none": "Paper only",
  "broker.state.waiting": "Waits for its terminal",
  "broker.state.open": "Deals at its broker",
  "broker.state.closing": "Being wound down",
  "broker.state.failed": "Cannot be opened",
  "broker.none_hint":
    "Your tenant trades on paper. Bound to a MetaTrader 5 account of your own, it sends its orders there, at that broker's quotes. The account's password stays with your terminal.",
  "broker.waiting_hint":
    "Make a key below and give it to `plan2 terminal` on the machine with MetaTrader 5. Until it has connected once, your tenant stays on paper.",
  "broker.account": "Account",
  "broker.login": "Login",
  "broker.server": "Trade server",
  "broker.mode": "Whose money",
  "broker.mode.demo": "Demo",
  "broker.mode.contest": "Contest",
  "broker.mode.real": "Real money",
  "broker.link": "Terminal",
  "broker.open": "Open there",
  "broker.open_count": "{positions} positions, {orders} orders",
  "broker.bind": "Bind an account",
  "broker.bind_explain":
    "From its first connection on your tenant trades this account and nowhere else. It comes up disarmed. A terminal with another account is turned away.",
  "broker.second":
    "Two people decide on this here: it is proposed, and another administrator approves it under Approvals.",
  "broker.name": "Name in Plan2",
  "broker.name_hint": "a–z and 0–9, never used for two accounts.",
  "broker.bound": "The account is bound.",
  "broker.proposed": "It waits for a second person under Approvals.",
  "broker.unbind": "Let go",
  "broker.unbind_explain":
    "Only while nothing is open there. Your tenant trades on paper then, and no terminal is let in any more.",
  "broker.unbound": "The account is let go.",
  "broker.symbols": "Your quotes beside the market's",
  "broker.symbol": "Symbol",
  "broker.bid": "Bid",
  "broker.ask": "Ask",
  "broker.age": "Age, ms",
  "broker.gap": "Gap, spreads",
  "broker.terms": "Terms",
  "broker.same": "The same",
  "broker.no_symbols": "No symbol is common to both brokers",
  "broker.keys": "Keys of its terminals",
  "broker.no_keys": "No terminal can come in yet",
  "broker.key": "Key",
  "broker.label": "Label",
  "broker.since": "Made",
  "broker.ended": "Revoked",
  "broker.new_key": "Make a key",
  "broker.key_explain":
    "Whoever holds it can be the terminal of this account. To change a key, make a new one, restart the terminal with it, and revoke the old one.",
  "broker.once": "The key, shown only now",
  "broker.once_hint": "Put it into a file and give that to `plan2 terminal`.",
  "broker.revoke": "Revoke",
  "broker.revoke_explain": "A terminal that uses it is cut off within two seconds.",
  "broker.revoked": "The key is revoked.",
} as const;

/** The text of a key of this section. */
export const bk = texts(broker, "broker");
/** A state or a kind of money in words. */
export const bkLabel = labels(broker, bk);
