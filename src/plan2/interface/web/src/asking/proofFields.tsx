/** What a person shows who they are with: a password, a code of the second factor. */

import { TextInput, type TextInputProps } from "@mantine/core";
import { t } from "../strings";

type Props = Omit<TextInputProps, "onChange"> & { value: string; change: (text: string) => void };

export function PasswordField({ change, ...rest }: Props) {
  return (
    <TextInput
      size="sm"
      type="password"
      maxLength={128}
      autoComplete="current-password"
      onChange={(event) => change(event.currentTarget.value)}
      {...rest}
    />
  );
}

export function CodeField({ change, ...rest }: Props) {
  return (
    <TextInput
      size="sm"
      label={t("signin.code")}
      description={t("signin.code_hint")}
      maxLength={64}
      autoComplete="one-time-code"
      onChange={(event) => change(event.currentTarget.value)}
      {...rest}
    />
  );
}
