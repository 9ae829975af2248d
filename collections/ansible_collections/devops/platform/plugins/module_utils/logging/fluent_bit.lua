-- What Fluent Bit has no expression for; module_utils/logging/fluent_bit.py adds a function a source and redaction.
local levels = @levels
local own = @own
local parts = {"redact_head", "redact_before", "redact_secret", "redact_tail"}

-- A line without its secret, where the parser found one.
function joined(at, r, mask)
  if r.redact_secret == nil then return 0, at, r end
  r.raw = (r.redact_head or "") .. (r.redact_before or "") .. mask .. (r.redact_tail or "")
  for _, part in ipairs(parts) do r[part] = nil end
  return 2, at, r
end

function hidden(at, r, text)
  if r.redact_secret == nil then return 0, at, r end
  for _, part in ipairs(parts) do r[part] = nil end
  r.raw = text
  return 2, at, r
end

-- An entry of the journal as a line with what is known of it.
function journal(tag, at, e)
  local source = choose(e)
  if source == nil then return -1, at, e end
  local r = {source = source, raw = e["MESSAGE"] or ""}
  if e["CONTAINER_ID_FULL"] then
    r["known.container"] = e["CONTAINER_NAME"]
    r["known.app"] = e["COM_DOCKER_COMPOSE_PROJECT"]
    r["known.service"] = e["COM_DOCKER_COMPOSE_SERVICE"]
    r["known.version"] = e["PLATFORM_VERSION"]
    local run = (e["CONTAINER_LOG_EPOCH"] or "") .. ":" .. (e["CONTAINER_LOG_ORDINAL"] or "")
    r["known.key"] = e["CONTAINER_ID_FULL"] .. ":" .. run
  else
    r["known.unit"] = e["_SYSTEMD_UNIT"]
    r["known.level"] = priorities[tostring(e["PRIORITY"] or "")]
    r["known.key"] = (e["_BOOT_ID"] or "") .. ":" .. (e["_PID"] or "") .. ":" .. (e["_SOURCE_REALTIME_TIMESTAMP"] or "")
  end
  return 2, at, r
end

-- Whether the parser understood the line, names and types of its fields, the level.
function fields(at, r, parser, of_journal)
  local raw = r.raw
  local kept = {}
  for name, value in pairs(r) do
    if string.sub(name, 1, 6) == "known." then kept[name] = value; r[name] = nil end
  end
  if not of_journal then
    local path, offset = tostring(r.read_path), tostring(r.read_offset)
    kept["known.path"], kept["known.offset"], kept["known.key"] = path, offset, path .. ":" .. offset
    r.read_path, r.read_offset = nil, nil
  end
  r.raw = nil
  r.source = nil
  if next(r) == nil and parser.type ~= "plain" then r.parse_error = parser.name end
  for name, value in pairs(r) do
    if value == "" or (parser.empty ~= "" and value == parser.empty) then r[name] = nil end
  end
  for old, new in pairs(parser.rename) do
    if r[old] ~= nil then r[new] = r[old]; r[old] = nil end
  end
  for name, kind in pairs(parser.types) do
    local value = r[name]
    if type(value) == "string" then
      local plain = string.match(value, "^%-?0$") or string.match(value, "^%-?[1-9]%d*$")
      local fraction = string.match(value, "^%-?0%.%d+$") or string.match(value, "^%-?[1-9]%d*%.%d+$")
      if plain and (kind == "integer" or kind == "number") then r[name] = tonumber(value) end
      if fraction and kind == "number" then r[name] = tonumber(value) end
      if kind == "boolean" and (value == "true" or value == "false") then r[name] = value == "true" end
    end
  end
  if r.message == nil or r.message == "" then r.message = raw end
  if r.level ~= nil then
    local level = string.lower(tostring(r.level))
    r.level = levels[level] or level
  end
  for name in pairs(own) do r[name] = nil end
  for name, value in pairs(kept) do r[name] = value end
  return 2, at, r
end

local months = {Jan = "01", Feb = "02", Mar = "03", Apr = "04", May = "05", Jun = "06", Jul = "07", Aug = "08",
  Sep = "09", Oct = "10", Nov = "11", Dec = "12"}

local function stamp(r)
  local fraction = (r.stamp_fraction and r.stamp_fraction ~= "") and ("." .. r.stamp_fraction) or ""
  if r.stamp_seconds then return os.date("!%Y-%m-%dT%H:%M:%S", tonumber(r.stamp_seconds)) .. fraction .. "Z" end
  local month = r.stamp_month or (r.stamp_name and months[r.stamp_name])
  if not (r.stamp_year and month and r.stamp_day and r.stamp_second) then return nil end
  local zone = (r.stamp_zone and r.stamp_zone ~= "") and r.stamp_zone or "Z"
  if #zone == 5 then zone = string.sub(zone, 1, 3) .. ":" .. string.sub(zone, 4) end
  local clock = r.stamp_hour .. ":" .. r.stamp_minute .. ":" .. r.stamp_second
  return r.stamp_year .. "-" .. month .. "-" .. r.stamp_day .. "T" .. clock .. fraction .. zone
end

-- The time that the line says, what the collector knows, and what the platform says.
function finish(at, r, said, time)
  local moment = nil
  if time ~= "" and r[time] ~= nil then moment = stamp(r) end
  if moment then
    r[time] = nil
    r["@timestamp"] = moment
  end
  for _, part in ipairs({"year", "month", "name", "day", "hour", "minute", "second", "fraction", "zone", "seconds"}) do
    r["stamp_" .. part] = nil
  end
  for name, value in pairs(said) do r[name] = value end
  -- Not while the same table is walked through: it gets new names.
  local known = {}
  for name, value in pairs(r) do
    if string.sub(name, 1, 6) == "known." then known[name] = value end
  end
  for name, value in pairs(known) do
    local short = string.sub(name, 7)
    if r[short] == nil then r[short] = value end
    r[name] = nil
  end
  return 2, at, r
end
