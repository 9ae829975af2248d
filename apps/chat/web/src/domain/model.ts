// What the services speak of; see /api/openapi.json.

export interface User {
  id: number;
  name: string;
}

export interface Room {
  name: string;
  topic: string;
  joined: boolean;
  members: number;
  last_message_id: number | null;
}

export interface Member extends User {
  online: boolean;
}

export interface Message {
  id: number;
  room: string;
  client_id: string | null;
  text: string;
  /** null: written before there were accounts */
  author: User | null;
  created_at: string;
}

/** Oldest first. `more`: there are further messages in the direction that was asked for. */
export interface MessagePage {
  messages: readonly Message[];
  more: boolean;
}

export interface NewMessage {
  room: string;
  text: string;
  client_id: string;
}
