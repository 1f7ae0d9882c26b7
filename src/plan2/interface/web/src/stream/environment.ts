/** What the stream client needs from a browser; tests bring their own. */

export type SocketHandlers = {
  onOpen: () => void;
  onBytes: (data: ArrayBuffer) => void;
  onClose: (code: number) => void;
};
export type SocketLike = { send: (bytes: Uint8Array<ArrayBuffer>) => void; close: () => void };

export type Environment = {
  openSocket: (handlers: SocketHandlers) => SocketLike;
  nowUs: () => number;
  random: () => number;
  after: (ms: number, run: () => void) => () => void;
  nextFrame: (run: () => void) => void;
  isHidden: () => boolean;
  isOnline: () => boolean;
  /** Calls back when the page becomes visible or hidden, or the network comes back. */
  onWake: (run: () => void) => void;
};

const HIDDEN_FLUSH_MS = 1_000;

function openSocket(url: string, subprotocol: string, handlers: SocketHandlers): SocketLike {
  const socket = new WebSocket(url, [subprotocol]);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", handlers.onOpen);
  socket.addEventListener("close", (event) => handlers.onClose(event.code));
  socket.addEventListener("message", (event: MessageEvent<unknown>) => {
    if (event.data instanceof ArrayBuffer) handlers.onBytes(event.data);
  });
  return { send: (bytes) => socket.send(bytes), close: () => socket.close() };
}

/** The real browser; `path` is the stream's path on this origin. */
export function browserEnvironment(path: string, subprotocol: string): Environment {
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
  return {
    openSocket: (handlers) => openSocket(url, subprotocol, handlers),
    nowUs: () => Math.round((performance.timeOrigin + performance.now()) * 1000),
    random: Math.random,
    after: (ms, run) => {
      const id = setTimeout(run, ms);
      return () => clearTimeout(id);
    },
    // A hidden page gets no animation frames; a slow timer keeps its state current.
    nextFrame: (run) => {
      if (document.hidden) setTimeout(run, HIDDEN_FLUSH_MS);
      else requestAnimationFrame(run);
    },
    isHidden: () => document.hidden,
    isOnline: () => navigator.onLine,
    onWake: (run) => {
      document.addEventListener("visibilitychange", run);
      globalThis.addEventListener("online", run);
    },
  };
}
