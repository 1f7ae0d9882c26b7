/** Keeps a failure of one part from taking the page, or the kill switch, with it. */

import { Component, type ReactNode } from "react";

type Props = { children: ReactNode; fallback: (error: Error, retry: () => void) => ReactNode };
type State = { error: Error | null };

export class Boundary extends Component<Props, State> {
  override state: State = { error: null };

  static getDerivedStateFromError(error: Error): State {
    return { error };
  }

  private readonly retry = (): void => this.setState({ error: null });

  override render(): ReactNode {
    const { error } = this.state;
    return error ? this.props.fallback(error, this.retry) : this.props.children;
  }
}
