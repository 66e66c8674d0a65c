#!/usr/bin/env python3
"""Train the digits model that the demo and the tests use, and write it with its held-out data.

    python3 -m venv v && v/bin/pip install torch onnx scikit-learn
    v/bin/python testsuite/models/train_digits.py

Writes next to this script:
    digits.onnx               two conv-relu-pool stages, one Gemm, Softmax; batch size N is symbolic; opset 17
    digits/images.npy         360 held-out images, float32 [360, 1, 8, 8], grey values 0..16
    digits/labels.npy         their digits, int64 [360]
    digits/digit_K.npy        one held-out image per digit K, float32 [1, 1, 8, 8]
The data are the 8x8 digits that come with scikit-learn; every fifth image of a seeded shuffle is held out.
"""
import pathlib
import numpy as np
import onnx
import torch
from sklearn.datasets import load_digits
from torch import nn

HERE = pathlib.Path(__file__).resolve().parent


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(32 * 2 * 2, 10)

    def logits(self, x):
        x = self.pool(torch.relu(self.conv1(x / 16)))
        x = self.pool(torch.relu(self.conv2(x)))
        return self.fc(torch.flatten(x, 1))

    def forward(self, x):
        return torch.softmax(self.logits(x), dim=1)


def load():
    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    images = digits.images[order].astype(np.float32)[:, None]
    labels = digits.target[order].astype(np.int64)
    held = np.arange(len(labels)) % 5 == 0
    return images[~held], labels[~held], images[held], labels[held]


def train(model, images, labels, epochs=60, batch=64):
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for part in torch.randperm(len(labels)).split(batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model.logits(images[part]), labels[part]).backward()
            optimizer.step()
        schedule.step()


def export(model, path):
    torch.onnx.export(model.eval(), torch.zeros(1, 1, 8, 8), path, dynamo=False, opset_version=17,
                      input_names=["image"], output_names=["probabilities"],
                      dynamic_axes={"image": {0: "N"}, "probabilities": {0: "N"}})
    onnx.checker.check_model(onnx.load(path), full_check=True)


def main():
    torch.manual_seed(0)
    images, labels, held_images, held_labels = load()
    model = Digits()
    train(model, images, labels)
    export(model, str(HERE / "digits.onnx"))
    out = HERE / "digits"
    out.mkdir(exist_ok=True)
    np.save(out / "images.npy", held_images)
    np.save(out / "labels.npy", held_labels)
    with torch.no_grad():
        answers = model(torch.from_numpy(held_images)).argmax(1).numpy()
    for digit in range(10):
        right = np.flatnonzero((held_labels == digit) & (answers == digit))
        np.save(out / f"digit_{digit}.npy", held_images[right[:1]])
    print(f"{(answers == held_labels).sum()} of {len(held_labels)} held-out images right")


if __name__ == "__main__":
    main()
