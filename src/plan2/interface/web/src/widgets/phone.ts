/** Whether the screen is that of a phone. */

import { useMediaQuery } from "@mantine/hooks";

export const PHONE = "(max-width: 640px)";

export const useIsPhone = (): boolean => useMediaQuery(PHONE) === true;
