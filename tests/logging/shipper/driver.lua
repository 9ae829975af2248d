-- Calls functions of a script with records that come line by line, and prints what they give back.
dofile(arg[1])

local function unhex(text) return (string.gsub(text or "", "..", function(two) return string.char(tonumber(two, 16)) end)) end
local function hex(text) return (string.gsub(text, ".", function(one) return string.format("%02x", string.byte(one)) end)) end

local name, record = nil, {}
for line in io.lines() do
  if string.sub(line, 1, 5) == "call " then
    name, record = string.sub(line, 6), {}
  elseif line == "end" then
    local code, _, changed = _G[name]("tag", 0, record)
    if code == 0 then changed = record end
    for key, value in pairs(changed) do
      local kind, text = "j", tostring(value)
      if type(value) == "string" then kind, text = "s", value end
      if type(value) == "table" then text = value.json end
      if type(value) == "number" then text = string.format("%.14g", value) end
      print(hex(key) .. " " .. kind .. " " .. hex(text))
    end
    print("end")
    io.stdout:flush()
  else
    local key, kind, value = string.match(line, "^(%x+) (%a) (%x*)$")
    local text = unhex(value)
    if kind == "s" then
      record[unhex(key)] = text
    elseif text == "true" or text == "false" then
      record[unhex(key)] = text == "true"
    elseif tonumber(text) then
      record[unhex(key)] = tonumber(text)
    elseif text ~= "null" then
      record[unhex(key)] = {json = text}
    end
  end
end
