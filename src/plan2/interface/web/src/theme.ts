/** Mantine's theme, drawn from the same palette as styles/tokens.css. */

import { createTheme, type MantineColorsTuple } from "@mantine/core";

const dark: MantineColorsTuple = [
  "#d6dde7",
  "#b4bfcd",
  "#94a1b2",
  "#6f7d90",
  "#3a4556",
  "#2a3342",
  "#1a212c",
  "#141a23",
  "#0f141b",
  "#0b0e13",
];
const sky: MantineColorsTuple = [
  "#e9f4fd",
  "#cfe6f9",
  "#a3cff2",
  "#79b9ec",
  "#5aa9e6",
  "#3d94d8",
  "#2a7fc4",
  "#1668ad",
  "#115690",
  "#0d4473",
];
const red: MantineColorsTuple = [
  "#fdecec",
  "#f9d0d1",
  "#f3a5a8",
  "#ee7d82",
  "#ea6068",
  "#de4650",
  "#cc323d",
  "#b4232e",
  "#981b25",
  "#7c141d",
];

/** `close` is what the buttons that close a dialog are called. */
export const makeTheme = (close: string) => {
  const closeButtonProps = { "aria-label": close };
  return createTheme({
    colors: { dark, sky, red },
    primaryColor: "sky",
    primaryShade: { light: 7, dark: 7 },
    autoContrast: false,
    defaultRadius: 6,
    fontFamily: "var(--font)",
    fontFamilyMonospace: "var(--mono)",
    fontSizes: { xs: "11px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
    focusRing: "auto",
    cursorType: "pointer",
    components: {
      Tooltip: {
        defaultProps: { openDelay: 300, withArrow: true, multiline: true, maw: 320, fz: 12 },
      },
      Modal: {
        defaultProps: {
          centered: true,
          overlayProps: { backgroundOpacity: 0.5 },
          closeButtonProps,
        },
      },
      Notification: { defaultProps: { closeButtonProps } },
      Button: { defaultProps: { size: "xs" } },
      Select: { defaultProps: { size: "xs", comboboxProps: { shadow: "md" } } },
      MultiSelect: { defaultProps: { size: "xs", comboboxProps: { shadow: "md" } } },
      TextInput: { defaultProps: { size: "xs" } },
    },
  });
};
