import { createContext, useContext } from "react";
import type { Location } from "../services/location";

export const NavigationContext = createContext<Location | null>(null);

export function useNavigation(): Location {
  const location = useContext(NavigationContext);
  if (!location) throw new Error("no navigation around this component");
  return location;
}
