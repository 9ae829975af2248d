import { useState } from "react";
import { chooseTheme, currentTheme, nextTheme } from "../../services/theme";
import { IconButton } from "./Button";

const NAMES = { system: "as the system", light: "light", dark: "dark" } as const;

export function ThemeButton() {
  const [theme, setTheme] = useState(currentTheme);
  return (
    <IconButton
      icon={theme}
      label={`Theme: ${NAMES[theme]}. Change to ${NAMES[nextTheme(theme)]}`}
      onClick={() => {
        chooseTheme(nextTheme(theme));
        setTheme(nextTheme(theme));
      }}
    />
  );
}
