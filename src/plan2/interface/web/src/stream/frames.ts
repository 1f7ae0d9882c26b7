/** Encoding and decoding of stream frames (msgpack, positional arrays). */

import { decode, encode } from "@msgpack/msgpack";
import { type Frame, Kind, type RateClass } from "../gen/protocol";

/** Bytes of a client frame. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  return encode(frame);
}

/** The frame in `data`, or null when it is not one. */
export function decodeFrame(data: ArrayBuffer | Uint8Array): Frame | null {
  let value: unknown;
  try {
    value = decode(data);
  } catch {
    return null;
  }
  if (!Array.isArray(value) || value.length < 5) return null;
  const numbers = value.slice(0, 4).every((part) => typeof part === "number");
  return numbers ? (value as unknown as Frame) : null;
}

export const clientHello = (t_us: number, protocol: number, rate: RateClass): Frame => [
  Kind.clientHello,
  0,
  0,
  t_us,
  { protocol, rate },
];

export const subscribe = (
  t_us: number,
  req: number,
  channel: string,
  params: object,
  from: number | null,
): Frame => [
  Kind.subscribe,
  0,
  req,
  t_us,
  from === null ? { channel, params } : { channel, params, from },
];

export const unsubscribe = (t_us: number, req: number, ch: number): Frame => [
  Kind.unsubscribe,
  ch,
  req,
  t_us,
  null,
];

export const ack = (t_us: number, seqs: [number, number][]): Frame => [Kind.ack, 0, 0, t_us, seqs];

export const ping = (t_us: number, req: number): Frame => [Kind.ping, 0, req, t_us, null];

export const rateChange = (t_us: number, req: number, rate: RateClass): Frame => [
  Kind.rate,
  0,
  req,
  t_us,
  { rate },
];
