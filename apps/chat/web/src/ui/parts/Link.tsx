import type { AnchorHTMLAttributes } from "react";
import { useNavigation } from "../navigation";

interface Props extends AnchorHTMLAttributes<HTMLAnchorElement> {
  to: string;
}

/** A link inside of chat: real enough to be opened in another tab. */
export function Link({ to, children, ...rest }: Props) {
  const navigation = useNavigation();
  return (
    <a
      {...rest}
      href={to}
      onClick={(event) => {
        if (
          event.defaultPrevented ||
          event.button !== 0 ||
          event.metaKey ||
          event.ctrlKey ||
          event.shiftKey ||
          event.altKey
        )
          return;
        event.preventDefault();
        navigation.go(to);
      }}
    >
      {children}
    </a>
  );
}
