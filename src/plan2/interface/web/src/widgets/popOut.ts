/** A widget in a window of its own: the same page, of which only that widget is shown. */

const PARAMETER = "only";
const SIZE = "popup,width=900,height=620";

/** The widget that this window is for; empty in an ordinary one. */
export const poppedOut: string =
  typeof location === "undefined"
    ? ""
    : (new URLSearchParams(location.search).get(PARAMETER) ?? "");

/** Opens the page's address once more for one widget. */
export function popOut(title: string): void {
  const address = new URL(location.href);
  address.searchParams.set(PARAMETER, title);
  globalThis.open(address, "_blank", SIZE);
}
