-- Session of Neovim: opens a model, asks about it, edits it, and writes what the editor shows to a file as JSON.
local command = vim.fn.json_decode(vim.env.LSP_COMMAND)
local found = { messages = {} }
local is_ready = false

local function wait(what, condition)
  if not vim.wait(30000, condition, 20) then
    found.failure = what .. " did not happen"
    vim.fn.writefile({ vim.fn.json_encode(found) }, vim.env.LSP_RESULT)
    vim.cmd("qall!")
  end
end

vim.cmd("edit " .. vim.fn.fnameescape(vim.env.LSP_FILE))
local client = vim.lsp.start_client({
  name = "recce_meta",
  cmd = command,
  root_dir = vim.env.LSP_ROOT,
  handlers = {
    ["recceMeta/status"] = function(_, status) is_ready = is_ready or status.state == "ready" end,
    ["window/showMessage"] = function(_, message) table.insert(found.messages, message.message) end,
  },
})
vim.lsp.buf_attach_client(0, client)
wait("the index", function() return is_ready end)

local function ask(method, line, character)
  local params = { textDocument = vim.lsp.util.make_text_document_params(), position = { line = line, character = character } }
  local answers = vim.lsp.buf_request_sync(0, method, params, 30000)
  return answers[client] and answers[client].result
end

local function show(key)
  found[key] = vim.tbl_map(function(one) return one.message end, vim.diagnostic.get(0))
end

local line = vim.fn.search("raw_payments") - 1
local character = vim.fn.match(vim.fn.getline(line + 1), "raw_payments") + 2
local hover = ask("textDocument/hover", line, character)
found.hover = hover and hover.contents.value
local places = ask("textDocument/definition", line, character)
found.definition = places and (places[1] or places).uri
show("before")

vim.cmd([[%substitute/as amount/as price/]])
wait("a diagnostic", function() return #vim.diagnostic.get(0) > 0 end)
show("after")
vim.cmd("undo")
wait("the end of the diagnostic", function() return #vim.diagnostic.get(0) == 0 end)

vim.lsp.stop_client(client)
wait("the end of the server", function() return vim.lsp.client_is_stopped(client) end)
vim.fn.writefile({ vim.fn.json_encode(found) }, vim.env.LSP_RESULT)
vim.cmd("qall!")
