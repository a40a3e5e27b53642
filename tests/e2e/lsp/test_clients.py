"""The server as three editors use it, by their own capabilities; pytest-lsp checks what is sent to each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

from recce_meta.lsp.documents import path_of
from tests.e2e.lsp.conftest import ORDERS, STAGING
from tests.e2e.lsp.editor import COMMAND, PATIENCE, variables

pytestmark = pytest.mark.extensive

CLIENTS = ("neovim", "visual-studio-code", "emacs")
PAYMENTS = "models/staging/stg_payments.sql"


@asynccontextmanager
async def started(name: str, shop: Path, home: Path) -> AsyncIterator[LanguageClient]:
    """Start the server for the editor *name*, and wait until the project in *shop* was read."""
    home.mkdir(exist_ok=True)
    client = make_test_lsp_client()
    ready = asyncio.Event()
    registered: list[str] = []

    @client.feature("recceMeta/status")
    def status(params: Any) -> None:
        if params.state == "ready":
            ready.set()

    @client.feature(types.CLIENT_REGISTER_CAPABILITY)
    def register(params: types.RegistrationParams) -> None:
        registered.extend(one.method for one in params.registrations)

    await client.start_io(*COMMAND, cwd=shop, env=variables(home))
    folder = types.WorkspaceFolder(uri=shop.as_uri(), name="shop")
    await client.initialize_session(
        types.InitializeParams(
            process_id=os.getpid(),
            capabilities=client_capabilities(name),
            root_uri=shop.as_uri(),
            workspace_folders=[folder],
        )
    )
    try:
        await asyncio.wait_for(ready.wait(), PATIENCE)
        watched = client_capabilities(name).workspace.did_change_watched_files
        assert bool(registered) == bool(watched and watched.dynamic_registration)
        yield client
    finally:
        await client.shutdown_session()


def opened(client: LanguageClient, path: Path) -> types.TextDocumentIdentifier:
    """Open a file."""
    item = types.TextDocumentItem(uri=path.as_uri(), language_id="sql", version=1, text=path.read_text())
    client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
    return types.TextDocumentIdentifier(uri=path.as_uri())


def place_of(path: Path, word: str, plus: int = 1) -> types.Position:
    """Return the position behind the first characters of *word*."""
    before = path.read_text()[: path.read_text().index(word) + plus]
    return types.Position(line=before.count("\n"), character=len(before) - before.rfind("\n") - 1)


async def published(client: LanguageClient, uri: str, accepts: Callable[[list[str]], bool]) -> list[str]:
    """Wait until the messages of the diagnostics of a text are accepted."""
    for _ in range(int(PATIENCE * 20)):
        messages = [one.message for one in client.diagnostics.get(uri, ())]
        if uri in client.diagnostics and accepts(messages):
            return messages
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{uri}: {client.diagnostics}, {client.log_messages}")


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CLIENTS)
async def test_an_editor_reads_follows_and_edits_a_model(name: str, shop: Path, tmp_path: Path) -> None:
    async with started(name, shop, tmp_path / "home") as client:
        document = opened(client, shop / PAYMENTS)
        await published(client, document.uri, lambda messages: messages == [])
        position = place_of(shop / PAYMENTS, "raw_payments")

        hover = await client.text_document_hover_async(
            types.HoverParams(text_document=document, position=position)
        )
        definition = await client.text_document_definition_async(
            types.DefinitionParams(text_document=document, position=position)
        )
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=document))
        symbols = await client.text_document_document_symbol_async(
            types.DocumentSymbolParams(text_document=document)
        )

        assert hover is not None and "raw_payments" in str(hover.contents)
        places = definition if isinstance(definition, list) else [definition]
        assert [getattr(one, "uri", None) for one in places] == [(shop / "seeds/raw_payments.csv").as_uri()]
        assert lenses and symbols

        text = (shop / PAYMENTS).read_text().replace("as amount", "as price")
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=document.uri, version=2),
                content_changes=[change],
            )
        )
        messages = await published(client, document.uri, bool)
        assert any("int_order_payments" in message for message in messages), messages
        assert not [one for one in client.log_messages if one.type is types.MessageType.Error]


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CLIENTS)
async def test_an_editor_finds_references_and_completes_names(name: str, shop: Path, tmp_path: Path) -> None:
    async with started(name, shop, tmp_path / "home") as client:
        staging, orders = (opened(client, shop / path) for path in (STAGING, ORDERS))

        references = await client.text_document_references_async(
            types.ReferenceParams(
                text_document=staging,
                position=place_of(shop / STAGING, "customer_id"),
                context=types.ReferenceContext(include_declaration=False),
            )
        )
        completion = await client.text_document_completion_async(
            types.CompletionParams(text_document=orders, position=place_of(shop / ORDERS, "ref('stg_", 9))
        )

        assert (shop / ORDERS).as_uri() in {one.uri for one in references or ()}
        items = completion.items if isinstance(completion, types.CompletionList) else completion or ()
        assert {"stg_orders", "stg_customers"} <= {one.label for one in items}


@pytest.mark.asyncio
async def test_the_impact_of_a_lens_opens_as_a_file_that_only_the_user_reads(
    shop: Path, tmp_path: Path
) -> None:
    async with started("neovim", shop, tmp_path / "home") as client:
        document = opened(client, shop / STAGING)
        await published(client, document.uri, lambda messages: messages == [])
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(text_document=document))
        shown = [lens.command for lens in lenses or () if lens.command and "reader" in lens.command.title]

        results, files = [], []
        for number in range(2):
            results.append(await run(client, shown[number]))
            files.append(path_of(await document_shown(client, number)))

        file = files[0]
        assert file is not None and file == files[1] and results[0] != results[1]
        assert file.read_text(encoding="utf-8") == results[1]
        assert file.stat().st_mode & 0o777 == 0o600
        assert not any("Impact" in one.message for one in client.messages)


async def run(client: LanguageClient, command: types.Command) -> object:
    """Return the result of a command."""
    return await client.workspace_execute_command_async(
        types.ExecuteCommandParams(command=command.command, arguments=command.arguments)
    )


async def document_shown(client: LanguageClient, number: int) -> str:
    """Wait until the server has let the editor open document *number*, and return its URI."""
    for _ in range(int(PATIENCE * 20)):
        if len(client.shown_documents) > number:
            return client.shown_documents[number].uri
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{client.shown_documents}, {client.messages}")
