/** Our own line icons, 20 × 20; decorative, so hidden from screen readers. */

const PATHS = {
  overview: "M3 3h6v8H3zM11 3h6v5h-6zM11 10h6v7h-6zM3 13h6v4H3z",
  market:
    "M5 3v3M5 12v4M3.5 6h3v6h-3zM10 5v3M10 14v3M8.500 8h3v6h-3zM15 2v2M15 10v4M13.500 4h3v6h-3z",
  decisions:
    "M10 3v4M10 7 5 12v5M10 7l5 5v5M3.500 15.500 5 17l1.500-1.500M13.500 15.500 15 17l1.500-1.500",
  positions: "m10 3 7 3.500-7 3.500-7-3.500zM3 10l7 3.500L17 10M3 13.500 10 17l7-3.500",
  risk: "M10 2.500 16.500 5v5c0 3.500-2.700 6-6.500 7.500C6.200 16 3.500 13.500 3.500 10V5zM10 6.500v4M10 13.500v.01",
  models: "M10 2.500 16.500 6v8L10 17.500 3.500 14V6zM10 10l6.500-4M10 10v7.500M10 10 3.500 6",
  training: "M2.500 8 10 4.500 17.500 8 10 11.500zM5.500 9.500v4c2.500 2 6.500 2 9 0v-4M17.500 8v5",
  learning: "M3 17V3M3 17h14M6 14l3-5 3 2 4-7M13.500 4H16v2.500",
  research:
    "M7.500 2.500h5M8.500 2.500V8L4 15.500a1.300 1.300 0 0 0 1 2h10a1.300 1.300 0 0 0 1-2L11.500 8V2.500M6 12.500h8",
  system: "M2 10h4l2-6 4 12 2-6h4",
  search: "M9 3.500a5.500 5.500 0 1 0 0 11 5.500 5.500 0 0 0 0-11M13 13l4 4",
  sun: "M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7M10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  moon: "M16.500 11.500A7 7 0 0 1 8.500 3.500a7 7 0 1 0 8 8z",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4v4M7 12v4",
  bell: "M10 2.500v1.500M5.500 14V9a4.500 4.500 0 0 1 9 0v5l1.500 1.500H4zM8.500 17.500h3",
  kill: "M7 2.500h6L17.500 7v6L13 17.500H7L2.500 13V7zM7.500 7.500l5 5M12.500 7.500l-5 5",
  play: "M6 4l10 6-10 6z",
  pause: "M7 4v12M13 4v12",
  halt: "M5 5h10v10H5z",
  chevronDown: "m5 7.500 5 5 5-5",
  chevronLeft: "m12.500 5-5 5 5 5",
  chevronRight: "m7.500 5 5 5-5 5",
  dots: "M10 5v.01M10 10v.01M10 15v.01",
  expand: "M12 3h5v5M8 17H3v-5M17 3l-6 6M3 17l6-6",
  shrink: "M17 8h-5V3M3 12h5v5M12 8l5-5M8 12l-5 5",
  close: "M5 5l10 10M15 5 5 15",
  check: "m4 10.500 4 4 8-9",
  cross: "M5 5l10 10M15 5 5 15",
  warning: "M10 3 18 17H2zM10 8v4M10 14.500v.01",
  link: "M8.500 11.500a3 3 0 0 0 4.200 0l2.800-2.800a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-2.800 2.800a3 3 0 0 0 4.200 4.200l1-1",
  download: "M10 3v9M6 8.500l4 4 4-4M4 16.500h12",
  replay: "M4 10a6 6 0 1 1 2 4.500M4 15.500V11.500h4",
  table: "M3 4h14v12H3zM3 8h14M3 12h14M8 4v12",
  chart: "M3 3v14h14M6 13l3.500-4 3 2.500L17 6",
  latest: "M4 4l7 6-7 6M15 4v12",
  help: "M7.500 7.500a2.500 2.500 0 1 1 3.500 2.300c-.7.300-1 .8-1 1.700M10 14.500v.01M10 2.500a7.500 7.500 0 1 0 0 15 7.500 7.500 0 0 0 0-15",
  more: "M4.500 10v.01M10 10v.01M15.500 10v.01",
  retry: "M16 10a6 6 0 1 1-2-4.500M16 4.500v4h-4",
  services: "M3 4h14v5H3zM3 11h14v5H3zM6 6.500v.01M6 13.500v.01",
  audit: "M5 2.500h7l3 3v12H5zM12 2.500v3h3M7.500 9h5M7.500 12h5M7.500 15h3",
  tenants: "M3 17V6l6-3v14M9 8h8v9M2 17h16M12 11h2M12 14h2M6 8v.01M6 11v.01M6 14v.01",
  lock: "M5 9h10v8H5zM7 9V6.500a3 3 0 0 1 6 0V9M10 12v2",
  copy: "M7 7h10v10H7zM4 13H3V3h10v1",
  user: "M10 3.500a3 3 0 1 0 0 6 3 3 0 0 0 0-6M4 17c.600-3 3-4.500 6-4.500s5.400 1.500 6 4.500",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 17 }: { name: IconName; size?: number }) {
  const isDotted = name === "dots" || name === "more";
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={isDotted ? 2.4 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
