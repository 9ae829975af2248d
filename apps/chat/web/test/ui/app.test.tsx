import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { Refusal } from "../../src/domain/refusal";
import { createLocation } from "../../src/services/location";
import { createKeeper } from "../../src/services/storage";
import { createSession } from "../../src/state/session";
import { App } from "../../src/ui/App";
import { anna, ben, FakeService, room } from "../fakes";
import { expectAccessible } from "./axe";

let service: FakeService;

function open(path = "/rooms/lobby") {
  window.history.replaceState(null, "", path);
  const keeper = createKeeper(() => localStorage);
  const session = createSession(service.api, keeper, () => 1);
  const view = render(
    <App
      api={service.api}
      keeper={keeper}
      session={session}
      location={createLocation()}
      openSocket={() => service.socket}
    />,
  );
  return { ...view, session, user: userEvent.setup() };
}

const composer = (name = "lobby") => screen.findByRole("textbox", { name: `Message #${name}` });
const log = () => screen.getByRole("list", { name: /oldest first/ });
const refuse = (code: string, more = {}) => new Refusal({ code, message: "no", ...more });
const signedOut = async () => ({ user: null, csrf_token: "t" });

beforeEach(() => {
  service = new FakeService(
    room("lobby", { topic: "Be kind" }),
    room("other"),
    room("closed", { joined: false, topic: "Secrets" }),
  );
  service.write("hello there", { author: ben });
});

describe("before signing in", () => {
  it("says that it loads", async () => {
    service.api.session.mockReturnValue(new Promise(() => undefined));
    open();
    expect(screen.getByRole("status")).toHaveTextContent("Loading chat");
    await expectAccessible();
  });

  it("says when the service is away, and tries again", async () => {
    service.api.session.mockRejectedValue(refuse("network"));
    const { user } = open();
    expect(await screen.findByRole("heading", { name: "Chat is away" })).toBeVisible();
    await expectAccessible();
    service.api.session.mockResolvedValue({ user: anna, csrf_token: "t" });
    await user.click(screen.getByRole("button", { name: "Try again now" }));
    expect(await composer()).toBeVisible();
  });

  it("signs in with the keyboard alone, back to where one wanted to go", async () => {
    service.api.session.mockImplementation(signedOut);
    const { user } = open("/rooms/other");
    expect(await screen.findByLabelText("Name")).toHaveFocus();
    await expectAccessible();
    await user.keyboard("anna{Tab}correct horse{Enter}");
    expect(await composer("other")).toHaveFocus();
    expect(service.api.signIn).toHaveBeenCalledWith({ name: "anna", password: "correct horse" });
    expect(location.pathname).toBe("/rooms/other");
  });

  it("says what is wrong, and how long to wait", async () => {
    service.api.session.mockImplementation(signedOut);
    service.api.signIn.mockRejectedValueOnce(refuse("unauthenticated", { message: "name or password is wrong" }));
    service.api.signIn.mockRejectedValueOnce(refuse("rate_limited", { retry_after: 7 }));
    const { user } = open();
    await user.type(await screen.findByLabelText("Name"), "anna");
    await user.type(screen.getByLabelText("Password"), "wrong{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("Name or password is wrong.");
    await expectAccessible();
    await user.keyboard("{Enter}");
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("Try again in 7 s"));
    expect(screen.getByRole("button", { name: "Sign in" })).toBeDisabled();
  });

  it("makes an account, and says first what would be refused", async () => {
    service.api.session.mockImplementation(signedOut);
    service.api.signUp.mockRejectedValueOnce(refuse("name_taken"));
    const { user } = open();
    await user.click(await screen.findByRole("button", { name: "Create one" }));
    await user.type(screen.getByLabelText("Name"), "an");
    await user.type(screen.getByLabelText("Password"), "short{Enter}");
    expect(screen.getByLabelText("Name")).toBeInvalid();
    expect(screen.getByLabelText("Password")).toHaveAccessibleDescription(/at least 10/);
    expect(service.api.signUp).not.toHaveBeenCalled();
    await expectAccessible();
    await user.type(screen.getByLabelText("Name"), "na");
    await user.type(screen.getByLabelText("Password"), " but longer{Enter}");
    expect(await screen.findByRole("alert")).toHaveTextContent("taken");
    await user.keyboard("{Enter}");
    expect(await composer()).toBeVisible();
  });
});

describe("the first visit", () => {
  it("shows the lobby at once, without anything to join", async () => {
    service = new FakeService(room("lobby", { joined: false }), room("other", { joined: false }));
    service.api.session.mockImplementation(signedOut);
    service.api.signUp.mockImplementation(async () => {
      service.rooms.get("lobby")!.joined = true; // as the service does
      return { user: anna, csrf_token: "t" };
    });
    const { user } = open("/");
    await user.click(await screen.findByRole("button", { name: "Create one" }));
    await user.type(screen.getByLabelText("Name"), "anna");
    await user.type(screen.getByLabelText("Password"), "long enough a password{Enter}");
    expect(await composer()).toBeVisible();
    expect(screen.queryByRole("button", { name: /^Join/ })).not.toBeInTheDocument();
    expect(service.api.joinRoom).not.toHaveBeenCalled();
    expect(window.location.pathname).toBe("/rooms/lobby");
  });

  it("shows the list where there is no lobby", async () => {
    service = new FakeService(room("other", { joined: false }));
    open("/");
    expect(await screen.findByRole("link", { name: /other/ })).toBeVisible();
    expect(screen.queryByRole("button", { name: /^Join/ })).not.toBeInTheDocument();
  });
});

describe("a room", () => {
  it("shows its messages as text, with links, times and days", async () => {
    service.write('<img src=x onerror="alert(1)"> see https://example.org/x. javascript:alert(1)');
    service.write("of long ago", { author: null as never });
    open();
    await composer();
    const message = await screen.findByText(/onerror/);
    expect(document.querySelector(".text img")).toBeNull();
    const links = within(message).getAllByRole("link");
    expect(links.map((link) => link.getAttribute("href"))).toEqual(["https://example.org/x"]);
    expect(links[0]).toHaveAttribute("rel", "noopener noreferrer");
    expect(screen.getByText("Unknown")).toBeVisible();
    expect(log().querySelectorAll("time[datetime]").length).toBeGreaterThan(1);
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("lobby");
    expect(screen.getByText("Be kind")).toBeVisible();
    await expectAccessible();
  });

  it("sends with Enter, makes a line with Shift+Enter, and leaves Enter to input methods", async () => {
    const { user } = open();
    const input = await composer();
    expect(input).toHaveFocus();
    await user.keyboard("one{Shift>}{Enter}{/Shift}two{Enter}");
    expect(await within(log()).findByText(/one\s+two/)).toBeVisible();
    expect(input).toHaveValue("");
    expect(input).toHaveFocus();
    await user.keyboard("  {Enter}");
    expect(service.socket.sent("message")).toHaveLength(1);
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }));
    expect(service.socket.sent("message")).toHaveLength(1);
  });

  it("counts near the limit, and does not send beyond it", async () => {
    const { user } = open();
    const input = await composer();
    await user.click(input);
    await user.paste("x".repeat(3900));
    expect(screen.getByText("100 characters left")).toBeVisible();
    await user.paste("x".repeat(101));
    expect(screen.getByText("1 characters too many")).toBeVisible();
    expect(input).toBeInvalid();
    await user.keyboard("{Enter}");
    expect(service.socket.sent("message")).toHaveLength(0);
    await user.keyboard("{Backspace}{Enter}");
    expect(service.socket.sent("message")).toHaveLength(1);
  });

  it("reads out what others write now, and not the history", async () => {
    open();
    await composer();
    await screen.findByText("hello there");
    const region = screen.getByRole("log", { name: "New messages" });
    expect(region).toBeEmptyDOMElement();
    act(() => void service.write("news!"));
    expect(region).toHaveTextContent("ben: news!");
  });

  it("counts unread messages in the list and in the title", async () => {
    open();
    await composer();
    await waitFor(() => expect(service.socket.sent("join")).toHaveLength(2));
    await act(async () => void service.write("psst", { to: "other" }));
    expect(await screen.findByRole("link", { name: /other 1 unread/ })).toBeVisible();
    expect(document.title).toBe("(1) #lobby · Chat");
  });

  it("goes to another room with the keyboard, with its own address, title, draft and focus, and back", async () => {
    const { user } = open();
    await user.type(await composer(), "half a sen");
    const link = await screen.findByRole("link", { name: /other/ });
    link.focus();
    await user.keyboard("{Enter}");
    expect(await composer("other")).toHaveFocus();
    expect(location.pathname).toBe("/rooms/other");
    await waitFor(() => expect(document.title).toBe("#other · Chat"));
    act(() => {
      window.history.replaceState(null, "", "/rooms/lobby");
      window.dispatchEvent(new PopStateEvent("popstate"));
    });
    expect(await composer()).toHaveValue("half a sen");
  });

  it("shows what is not sent: offline, and refused with a way on", async () => {
    const { user } = open();
    const input = await composer();
    await screen.findByText("hello there");
    service.socket.reachable = false;
    act(() => service.socket.drop());
    expect(screen.getByRole("status", { name: "Connection" })).toHaveTextContent("Reconnecting");
    await user.type(input, "later{Enter}");
    const list = screen.getByRole("list", { name: "Not sent yet" });
    expect(list).toHaveTextContent("laterWill be sent once connected");
    await expectAccessible();

    const answer = service.socket.answer;
    service.socket.answer = (event, payload) =>
      event === "message"
        ? { ok: false, error: { code: "invalid", message: "no", fields: { text: "is bad" } } }
        : answer(event, payload);
    service.socket.reachable = true;
    act(() => service.socket.open());
    expect(await screen.findByRole("alert")).toHaveTextContent("Not sent. Text is bad.");
    await expectAccessible();
    service.socket.answer = answer;
    await user.click(screen.getByRole("button", { name: "Retry" }));
    await waitFor(() => expect(list).not.toBeInTheDocument());
    expect(within(log()).getByText("later")).toBeVisible();
  });

  it("discards what was refused", async () => {
    const { user } = open("/rooms/other");
    service.socket.answer = (event) =>
      event === "join"
        ? { ok: true, last_id: null, online: [] }
        : { ok: false, error: { code: "invalid", message: "no" } };
    await user.type(await composer("other"), "bad{Enter}");
    await user.click(await screen.findByRole("button", { name: "Discard" }));
    expect(screen.queryByText("bad")).not.toBeInTheDocument();
    expect(await screen.findByText("Nothing here yet")).toBeVisible();
    await expectAccessible();
  });

  it("loads older messages on demand", async () => {
    for (let index = 0; index < 60; index++) service.write(`m${index}`);
    service.api.messages.mockImplementationOnce(service.api.messages.getMockImplementation()!);
    service.api.messages.mockRejectedValueOnce(refuse("network"));
    const { user } = open();
    await composer();
    // Nothing has a height here, so that the view is at the start, and the older ones are asked for at once.
    await user.click(await screen.findByRole("button", { name: /Older messages could not be loaded/ }));
    expect(await screen.findByText("This is where #lobby begins.")).toBeVisible();
    expect(screen.getByText("hello there")).toBeVisible();
  });

  it("says that there is no such room, and offers to make it", async () => {
    const { user } = open("/rooms/nowhere");
    await user.click(await screen.findByRole("button", { name: "Create #nowhere" }));
    expect(screen.getByLabelText("Name")).toHaveValue("nowhere");
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Create" }));
    expect(await composer("nowhere")).toBeVisible();
  });

  it("says that one is not in it, joins, and leaves", async () => {
    const { user } = open("/rooms/closed");
    expect(await screen.findByText("You are not in #closed")).toBeVisible();
    await expectAccessible();
    service.api.joinRoom.mockRejectedValueOnce(refuse("unavailable"));
    await user.click(screen.getByRole("button", { name: "Join #closed" }));
    expect(await screen.findByRole("alert")).toHaveTextContent("not available");
    await user.click(screen.getByRole("button", { name: "Join #closed" }));
    await composer("closed");
    await user.click(screen.getByRole("button", { name: "Leave #closed" }));
    expect(await screen.findByRole("button", { name: "Join #closed" })).toBeVisible();
  });

  it("says that it could not be loaded, and tries again", async () => {
    service.api.messages.mockRejectedValueOnce(refuse("internal"));
    const { user } = open();
    expect(await screen.findByText("This room could not be loaded")).toBeVisible();
    await expectAccessible();
    await user.click(screen.getByRole("button", { name: "Try again now" }));
    expect(await composer()).toBeVisible();
  });

  it("knows its members, and who is online", async () => {
    service.api.members.mockRejectedValueOnce(refuse("unavailable"));
    const { user } = open();
    const members = await screen.findByRole("complementary", { name: "Members" });
    await user.click(await within(members).findByRole("button", { name: "Try again" }));
    const offline = await within(members).findByRole("region", { name: "Offline" });
    expect(offline).toHaveTextContent("ben");
    act(() => service.socket.receive("presence", { room: "lobby", user: ben, online: true }));
    expect(within(members).getByRole("region", { name: "Online" })).toHaveTextContent("ben");
    expect(screen.getByRole("button", { name: /2 online/ })).toBeVisible();
    await user.click(screen.getByRole("button", { name: /2 online/ }));
    expect(members).not.toBeInTheDocument();
  });
});

describe("the list of rooms", () => {
  it("finds rooms, and forgets the filter with Escape", async () => {
    const { user } = open();
    await composer();
    await user.type(screen.getByRole("searchbox", { name: "Find a room" }), "secr");
    expect(await screen.findByText("1 room found")).toBeInTheDocument();
    expect(screen.queryByRole("link", { name: /lobby/ })).not.toBeInTheDocument();
    await user.keyboard("{Escape}");
    expect(await screen.findByRole("link", { name: /lobby/ })).toHaveAttribute("aria-current", "page");
  });

  it("says that it could not be loaded, and tries again", async () => {
    service.api.rooms.mockRejectedValue(refuse("network"));
    const { user } = open();
    expect(await screen.findByText("The rooms could not be loaded")).toBeVisible();
    await expectAccessible();
    service.api.rooms.mockResolvedValue({ rooms: [], more: false });
    await user.click(screen.getByRole("button", { name: "Try again" }));
    expect(await screen.findByText("There are no rooms yet")).toBeVisible();
  });

  it("makes a room in a dialog that Escape closes and that gives the focus back", async () => {
    const { user } = open();
    await composer();
    const button = screen.getByRole("button", { name: "Create a room" });
    await user.click(button);
    expect(await screen.findByRole("dialog", { name: "Create a room" })).toBeVisible();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
    expect(button).toHaveFocus();
    await user.click(button);
    await user.type(screen.getByLabelText("Name"), "Bad Name{Enter}");
    expect(screen.getByLabelText("Name")).toHaveAccessibleDescription(/small letters only/);
    await user.clear(screen.getByLabelText("Name"));
    await user.type(screen.getByLabelText("Name"), "other{Enter}");
    expect(await screen.findByText(/a room of this name already/)).toBeVisible();
    await user.clear(screen.getByLabelText("Name"));
    await user.type(screen.getByLabelText("Name"), "brand-new{Enter}");
    expect(await composer("brand-new")).toBeVisible();
    expect(service.api.createRoom).toHaveBeenLastCalledWith("brand-new", "");
  });

  it("leads from / to the room of the last visit, and knows unknown addresses", async () => {
    localStorage.setItem(`chat.user.${anna.id}.room`, '"other"');
    const { unmount } = open("/");
    expect(await composer("other")).toBeVisible();
    unmount();
    open("/nonsense");
    expect(await screen.findByRole("heading", { name: "There is no such page" })).toBeVisible();
    await expectAccessible();
  });
});

describe("the session", () => {
  it("ends: signing in again finds what was not sent", async () => {
    const { user } = open();
    const input = await composer();
    service.socket.reachable = false;
    act(() => service.socket.drop());
    await user.type(input, "keep me{Enter}");
    act(() => service.socket.receive("signed_out", {}));
    expect(await screen.findByRole("alert")).toHaveTextContent("Your session has ended");
    expect(screen.getByLabelText("Name")).toHaveValue("anna");
    expect(screen.getByLabelText("Password")).toHaveFocus();
    await expectAccessible();
    service.socket.reachable = true;
    await user.keyboard("correct horse{Enter}");
    await composer();
    await waitFor(() => expect(service.messages.get("lobby")?.at(-1)?.text).toBe("keep me"));
  });

  it("is left with one click where nothing is lost", async () => {
    const { user } = open();
    await composer();
    await user.click(screen.getByRole("button", { name: "Sign out" }));
    expect(await screen.findByText("You are signed out.")).toBeVisible();
    expect(service.socket.connected).toBe(false);
    expect(document.title).toBe("Chat");
  });

  it("asks what to do with what was not sent, and says when signing out did not work", async () => {
    const { user } = open();
    const input = await composer();
    service.socket.reachable = false;
    act(() => service.socket.drop());
    await user.type(input, "unsent{Enter}");
    await user.click(screen.getByRole("button", { name: "Sign out" }));
    expect(await screen.findByRole("dialog")).toHaveTextContent("One message is not sent yet");
    await expectAccessible();
    service.api.signOut.mockRejectedValueOnce(refuse("network"));
    await user.click(screen.getByRole("button", { name: "Discard and sign out" }));
    expect(await screen.findByText(/Signing out did not work/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Discard and sign out" }));
    await screen.findByText("You are signed out.");
    expect(Object.keys(localStorage).filter((key) => key.includes("unsent"))).toEqual([]);
  });

  it("follows what happens in another window", async () => {
    open();
    await composer();
    service.api.session.mockImplementation(signedOut);
    act(() => void window.dispatchEvent(new StorageEvent("storage", { key: "chat.session" })));
    expect(await screen.findByText(/session has ended/)).toBeVisible();
  });
});

it("has a theme of one's own choice", async () => {
  const { user } = open();
  await composer();
  await user.click(screen.getByRole("button", { name: /Theme: as the system/ }));
  expect(document.documentElement.dataset["theme"]).toBe("light");
  await user.click(screen.getByRole("button", { name: /Theme: light/ }));
  expect(localStorage.getItem("chat.theme")).toBe("dark");
});
