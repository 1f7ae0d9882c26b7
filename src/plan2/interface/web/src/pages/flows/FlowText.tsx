/** A flow's text with line numbers; the line of an error is marked. */

export function FlowText({ text, wrong }: { text: string; wrong: number }) {
  return (
    <ol className="flow-text" data-testid="flow-text">
      {text.split("\n").map((line, index) => (
        <li key={`${index + 1}`} className={index + 1 === wrong ? "is-wrong" : undefined}>
          {line}
        </li>
      ))}
    </ol>
  );
}
