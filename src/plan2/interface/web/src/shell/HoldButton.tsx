/** A button that acts after being held for 1.5 seconds, by pointer or by Space/Enter. */

import {
  type KeyboardEvent,
  type PointerEvent,
  type ReactNode,
  useEffect,
  useRef,
  useState,
} from "react";

const HOLD_MS = 1_500;

type Props = {
  isInstant: boolean;
  isBusy: boolean;
  onDone: () => void;
  testId?: string;
  /** Without the red of what ends things. */
  isCalm?: boolean;
  children: ReactNode;
};

export function HoldButton(props: Props) {
  const { isInstant, isBusy, onDone, testId = "kill-confirm", isCalm, children } = props;
  const [isHolding, setHolding] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const release = () => {
    clearTimeout(timer.current);
    setHolding(false);
  };
  const press = () => {
    if (isInstant || isHolding || isBusy) return;
    setHolding(true);
    timer.current = setTimeout(() => {
      setHolding(false);
      onDone();
    }, HOLD_MS);
  };
  const onPointer = (event: PointerEvent<HTMLButtonElement>) => {
    // What moves on the page meanwhile must not pull the button away from under the finger.
    event.currentTarget.setPointerCapture(event.pointerId);
    press();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== " " && event.key !== "Enter") return;
    if (!isInstant) event.preventDefault();
    if (!event.repeat) press();
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <button
      type="button"
      className={`hold ${isHolding ? "is-holding" : ""} ${isCalm ? "is-calm" : ""}`}
      disabled={isBusy}
      data-testid={testId}
      onPointerDown={onPointer}
      onPointerUp={release}
      onLostPointerCapture={release}
      onBlur={release}
      onKeyDown={onKey}
      onKeyUp={release}
      onClick={() => isInstant && onDone()}
    >
      <span className="hold-fill" aria-hidden="true" />
      <span>{children}</span>
    </button>
  );
}
